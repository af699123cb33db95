//! An instance registers, or renews its registration; and it leaves.

use std::sync::Arc;

use bytes::Bytes;
use pulse_trust::relay::{ControlPayload, Register, RegisterAck, WireErrorCode};
use tracing::{info, warn};

use crate::admission::{self, Admitted, Refused};
use crate::connection::Ending;
use crate::link::Link;
use crate::logging::cut;
use crate::registry::{ClaimRefused, Claimed};
use crate::shared::Shared;
use crate::story::Event;

/// Registers an instance, or says how its connection ends.
pub(crate) fn register(shared: &Shared, link: &Arc<Link>, register: &Register) -> Option<Ending> {
    let is_renewal = link.instance_id().is_some();
    match try_register(shared, link, register) {
        Ok(()) => None,
        Err(refused) => {
            let code = refused.code.as_str();
            shared.metrics.refusals.with_label_values(&[code]).inc();
            link.story.note(Event::RegistrationRefused { code });
            if refused.costs_a_try {
                shared.rates.load().refusals.take(&link.address);
            }
            shared.refusal_log.write(&shared.metrics, || {
                info!(code, reason = cut(&refused.message), is_renewal, "refused a registration");
            });
            if is_renewal {
                // What it had stays in force until its own end.
                link.outbox.push_error(refused.code, &refused.message);
                return None;
            }
            Some(Ending::error(1008, refused.code, &refused.message))
        }
    }
}

fn try_register(shared: &Shared, link: &Arc<Link>, register: &Register) -> Result<(), Refused> {
    if register.session_token.is_empty() && shared.rates.load().refusals.is_blocked(&link.address) {
        let message = "too many refused tries from this address: wait";
        return Err(Refused { code: WireErrorCode::RateLimited, message: message.to_owned(), costs_a_try: false });
    }
    let admitted = admission::decide(shared, link, register)?;
    if link.instance_id().is_some_and(|id| **id != *admitted.claim.instance_id) {
        let message = "a registration is renewed under its own instance id: open another connection for another";
        return Err(Refused::new(WireErrorCode::AuthFailed, message));
    }
    let slot = match link.instance_id() {
        Some(_) => None,
        None => Some(shared.slots.instance().ok_or_else(|| {
            let message = "as many instances are connected as this relay takes: try again later";
            Refused { costs_a_try: false, ..Refused::new(WireErrorCode::RateLimited, message) }
        })?),
    };
    let earlier = link.live();
    link.set_live(admitted.live.clone());
    let claimed = match claim(shared, link, &admitted) {
        Ok(claimed) => claimed,
        Err(refused) => {
            if let Some(earlier) = earlier {
                link.set_live(earlier);
            }
            return Err(refused);
        }
    };
    let is_new = link.set_registered(&admitted.claim.instance_id);
    if let Some(instance_id) = link.instance_id() {
        link.set_throttle(shared.paces.instances.of(Arc::clone(instance_id)));
    }
    link.side().registered();
    if let Some(slot) = slot {
        link.set_slot(slot);
    }
    let credential = admitted.kind;
    link.story.note(if is_new { Event::Registered { credential } } else { Event::Renewed { credential } });
    shared.metrics.registrations.with_label_values(&[admitted.kind]).inc();
    if is_new {
        shared.metrics.instance_connections.inc();
    }
    if claimed.took_over {
        shared.metrics.takeovers.inc();
    }
    if claimed.identity_changed {
        shared.metrics.identity_changes.inc();
        warn!(
            instance_id = admitted.claim.instance_id,
            "another identity took the instance id over after the hold time"
        );
    }
    info!(
        instance_id = admitted.claim.instance_id,
        kind = admitted.kind,
        key_id = admitted.live.subject.signing_key_id,
        proved = admitted.claim.is_proved,
        took_over = claimed.took_over,
        renewed = !is_new,
        client_version = cut(&register.client_version),
        "registered"
    );
    // A revocation that came after the credential was checked found no connection to end.
    admission::check_revoked(shared, &admitted.live.subject)
}

fn claim(shared: &Shared, link: &Arc<Link>, admitted: &Admitted) -> Result<Claimed, Refused> {
    let welcome = |generation| {
        let mut session = admitted.session.clone();
        session.generation = generation;
        let session_token = shared.session_key.issue(&session)?;
        let ack = RegisterAck::new(session.instance_id, session_token, session.expires_at);
        ack.to_frame(0).ok().map(Bytes::from)
    };
    shared.registry.claim(&admitted.claim, link, shared.clock.now(), welcome).map_err(|refused| match refused {
        ClaimRefused::Duplicate => Refused::new(
            WireErrorCode::DuplicateInstance,
            "another identity key holds this instance id: stop the other instance, or wait until its hold is over",
        ),
        ClaimRefused::ProofMissing => Refused::new(
            WireErrorCode::AuthFailed,
            "this identity key has proved itself for this instance id before: send identity_proof",
        ),
        ClaimRefused::Superseded => Refused {
            costs_a_try: false,
            ..Refused::new(
                WireErrorCode::AuthFailed,
                "another identity has held this instance id since the session began: register afresh",
            )
        },
        ClaimRefused::Failed => Refused::new(WireErrorCode::InternalError, "no session token could be made"),
    })
}

/// Notes that an instance is gone.
pub(crate) fn leave(shared: &Shared, link: &Arc<Link>, ending: &Ending) {
    let Some(instance_id) = link.instance_id() else { return };
    shared.metrics.instance_connections.dec();
    shared.registry.release(instance_id, link, shared.clock.now());
    info!(instance_id = &**instance_id, close_code = ending.close_code, reason = cut(&ending.reason), "disconnected");
}
