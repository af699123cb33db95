//! An instance registers, or renews its registration; and it leaves.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pulse_trust::UnixTime;
use pulse_trust::relay::{ControlPayload, Register, RegisterAck, WireErrorCode};
use pulse_trust::session::RelayFault;
use tracing::{info, warn};

use crate::admission::{self, Admitted, Refused};
use crate::cluster::Cluster;
use crate::connection::Ending;
use crate::link::Link;
use crate::logging::cut;
use crate::presented::Presented;
use crate::registry::{ClaimRefused, Claimed, Fence};
use crate::shared::Shared;
use crate::slots::Slot;
use crate::story::Event;

/// How long before its end a registration is renewed, and by how much the clocks of the two ends may differ.
const RENEWAL: Duration = Duration::from_secs(5 * 60);
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// Registers an instance, or says how its connection ends.
pub(crate) fn register(shared: &Shared, link: &Arc<Link>, register: &Register) -> Option<Ending> {
    let is_renewal = link.instance_id().is_some();
    let outcome = prepare(shared, link, register).and_then(|prepared| complete(shared, link, register, prepared));
    conclude(shared, link, is_renewal, Some(register), outcome)
}

/// The same with several nodes: first their common store has to grant the id. A renewal has it already.
pub(crate) async fn register_fenced(
    shared: &Shared,
    cluster: &Cluster,
    link: &Arc<Link>,
    register: &Register,
) -> Option<Ending> {
    let is_renewal = link.instance_id().is_some();
    let outcome = match prepare(shared, link, register) {
        Err(refused) => Err(refused),
        Ok(mut prepared) => match fence(shared, cluster, link, &prepared.admitted).await {
            Err(refused) => Err(refused_claim(refused)),
            Ok(fence) => {
                prepared.admitted.claim.fence = Some(fence);
                let instance_id = prepared.admitted.claim.instance_id.clone();
                let outcome = complete(shared, link, register, prepared);
                if outcome.is_err() && !is_renewal {
                    cluster.release(&instance_id, fence.generation, shared.clock.now()).await;
                }
                outcome
            }
        },
    };
    conclude(shared, link, is_renewal, Some(register), outcome)
}

async fn fence(
    shared: &Shared,
    cluster: &Cluster,
    link: &Arc<Link>,
    admitted: &Admitted,
) -> Result<Fence, ClaimRefused> {
    match link.instance_id() {
        Some(instance_id) => shared.registry.fence_of(instance_id).ok_or(ClaimRefused::Replaced),
        None => {
            let hold = shared.config.load().limits.identity_hold;
            cluster.claim(&admitted.claim, hold, shared.clock.now()).await
        }
    }
}

/// Refuses what came instead of a REGISTER.
pub(crate) fn refuse(shared: &Shared, link: &Link, fault: RelayFault) -> Option<Ending> {
    let refused = check_rate(shared, link).err().unwrap_or_else(|| Refused::new(fault.code, fault.message));
    conclude(shared, link, link.instance_id().is_some(), None, Err(refused))
}

fn conclude(
    shared: &Shared,
    link: &Link,
    is_renewal: bool,
    register: Option<&Register>,
    outcome: Result<(), Refused>,
) -> Option<Ending> {
    match outcome {
        Ok(()) => None,
        Err(refused) => {
            let code = refused.code.as_str();
            shared.metrics.refusals.with_label_values(&[code]).inc();
            link.story.note(Event::RegistrationRefused { code });
            if refused.costs_a_try {
                shared.rates.load().refusals.take(&link.address);
            }
            shared.refusal_log.write(&shared.metrics, || {
                let Presented { kind, subject, key_id } = register.map(Presented::by).unwrap_or_default();
                info!(
                    code,
                    reason = cut(&refused.message),
                    is_renewal,
                    claimed_kind = kind,
                    claimed_subject = cut(&subject),
                    claimed_key_id = cut(&key_id),
                    "refused a registration"
                );
            });
            if is_renewal {
                // The registration that it had stays in force until its own end.
                link.outbox.push_error(refused.code, &refused.message);
                return None;
            }
            Some(Ending::error(1008, refused.code, &refused.message))
        }
    }
}

fn check_rate(shared: &Shared, link: &Link) -> Result<(), Refused> {
    if shared.rates.load().refusals.is_blocked(&link.address) {
        let message = "too many refused tries from this address: wait";
        return Err(Refused { costs_a_try: false, ..Refused::new(WireErrorCode::RateLimited, message) });
    }
    Ok(())
}

/// A renewal has its time; earlier ones would only cost the relay work.
fn check_renewal(shared: &Shared, link: &Link) -> Result<(), Refused> {
    let earliest = RENEWAL.saturating_add(CLOCKS_DIFFER);
    match link.live() {
        Some(live) if shared.clock.now().saturating_add(earliest) < live.expires_at => {
            let at = live.expires_at.as_secs();
            let message = format!("a registration is renewed at most 5 min before expires_at, which is {at}: wait");
            Err(Refused { costs_a_try: false, ..Refused::new(WireErrorCode::AuthFailed, message) })
        }
        _ => Ok(()),
    }
}

/// A registration for which only the id still has to be free.
struct Prepared {
    admitted: Admitted,
    slot: Option<Slot>,
}

fn prepare(shared: &Shared, link: &Arc<Link>, register: &Register) -> Result<Prepared, Refused> {
    if register.session_token.is_none() {
        check_rate(shared, link)?;
        check_renewal(shared, link)?;
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
    Ok(Prepared { admitted, slot })
}

fn complete(shared: &Shared, link: &Arc<Link>, register: &Register, prepared: Prepared) -> Result<(), Refused> {
    let Prepared { admitted, slot } = prepared;
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
        client_version = cut(register.client_version.as_deref().unwrap_or_default()),
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
        let ack = RegisterAck::new(session.instance_id, session_token, Some(UnixTime::from_secs(session.expires_at)));
        ack.to_frame(0).ok().map(Bytes::from)
    };
    shared.registry.claim(&admitted.claim, link, shared.clock.now(), welcome).map_err(refused_claim)
}

fn refused_claim(refused: ClaimRefused) -> Refused {
    match refused {
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
        ClaimRefused::Replaced => Refused {
            costs_a_try: false,
            ..Refused::new(
                WireErrorCode::DuplicateInstance,
                "the same identity registered again meanwhile, at this node of the relay or another",
            )
        },
        ClaimRefused::Unavailable => Refused {
            costs_a_try: false,
            ..Refused::new(
                WireErrorCode::InternalError,
                "the relay's nodes cannot agree on who has this instance id now: try again",
            )
        },
        ClaimRefused::Failed => Refused::new(WireErrorCode::InternalError, "no session token could be made"),
    }
}

/// Notes that an instance is gone.
pub(crate) fn leave(shared: &Arc<Shared>, link: &Arc<Link>, ending: &Ending) {
    let Some(instance_id) = link.instance_id() else { return };
    shared.metrics.instance_connections.dec();
    let released = shared.registry.release(instance_id, link, shared.clock.now());
    if let (Some(fence), Some(cluster)) = (released, shared.cluster.get()) {
        let (cluster, instance_id, now) = (Arc::clone(cluster), Arc::clone(instance_id), shared.clock.now());
        // A drain waits for it.
        shared.tasks.spawn(async move { cluster.release(&instance_id, fence.generation, now).await });
    }
    info!(instance_id = &**instance_id, close_code = ending.close_code, reason = cut(&ending.reason), "disconnected");
}
