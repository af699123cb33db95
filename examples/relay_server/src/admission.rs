//! Who may register, as which instance: by a credential, or by the session token of an earlier registration.

use std::time::Duration;

use pulse_trust::TokenKind;
use pulse_trust::keys::PublicKey;
use pulse_trust::relay::{Register, RevocationSubject, Revocations, WireErrorCode};
use pulse_trust::{Error, Secret, UnixTime};
use sha2::{Digest, Sha256};

use crate::link::{Link, Live};
use crate::registry::Claim;
use crate::reload::is_configured;
use crate::session_token::Session;
use crate::shared::Shared;

/// The longest identity key that is accepted; any text, opaque to the relay unless it is proved.
const MAX_IDENTITY_LEN: usize = 256;
/// How long a session under a lifetime license lasts; then the instance registers afresh.
const LIFETIME_SESSION: Duration = Duration::from_secs(30 * 24 * 3600);

/// A registration that the credential allows; the registry decides whether the instance id is free.
pub(crate) struct Admitted {
    pub(crate) claim: Claim,
    pub(crate) session: Session,
    pub(crate) live: Live,
    /// The kind of credential; `session` if it was resumed.
    pub(crate) kind: &'static str,
}

/// Why not: the wire code and the message.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: WireErrorCode,
    pub(crate) message: String,
    /// Whether the address loses a try. An outdated session token costs none: after a relay has lost its data
    /// directory, everybody has one.
    pub(crate) costs_a_try: bool,
}

impl Refused {
    pub(crate) fn new(code: WireErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), costs_a_try: true }
    }

    fn out_of_date(message: &str) -> Self {
        Self { code: WireErrorCode::AuthFailed, message: format!("{message}: register afresh"), costs_a_try: false }
    }
}

/// Decides on a REGISTER by itself.
pub(crate) fn decide(shared: &Shared, link: &Link, register: &Register) -> Result<Admitted, Refused> {
    let public_key = register.identity_pub_key.as_deref().unwrap_or_default();
    let received = public_key.len();
    if received > MAX_IDENTITY_LEN {
        let message = format!("identity_pub_key: at most {MAX_IDENTITY_LEN} bytes are allowed, received {received}");
        return Err(Refused::new(WireErrorCode::AuthFailed, message));
    }
    let now = shared.clock.now();
    let is_proved = check_proof(shared, link, register, now)?;
    let identity = Sha256::digest(public_key.as_bytes()).into();
    let mut admitted = match &register.session_token {
        None => admit(shared, register, identity, now)?,
        Some(session_token) => resume(shared, register, session_token, identity, now)?,
    };
    admitted.claim.is_proved = is_proved;
    Ok(admitted)
}

/// Whether the identity proved itself. A wrong proof is refused, but a missing one is not: deployed runtimes send none.
fn check_proof(shared: &Shared, link: &Link, register: &Register, now: UnixTime) -> Result<bool, Refused> {
    let Some(proof) = &register.identity_proof else { return Ok(false) };
    let refused = |error: Error| Refused::new(WireErrorCode::AuthFailed, error.to_string());
    let key = PublicKey::from_base64(register.identity_pub_key.as_deref().unwrap_or_default()).map_err(refused)?;
    let token = register.session_token.as_ref().unwrap_or(&register.license_token);
    let config = shared.config.load();
    let hosts: Vec<&str> = match config.public_hosts.as_slice() {
        [] => vec![&link.host],
        configured => configured.iter().map(String::as_str).collect(),
    };
    proof.check(&key, hosts, token.expose_secret(), now).map_err(refused)?;
    Ok(true)
}

/// For a first registration: the library decides on the credential.
fn admit(shared: &Shared, register: &Register, identity: [u8; 32], now: UnixTime) -> Result<Admitted, Refused> {
    let hint = register.instance_hint.as_ref().map(Secret::expose_secret);
    let admitted = shared.admission.load().admit(
        register.license_token.expose_secret(),
        hint,
        &*shared.revocations.current(),
        now,
    );
    let registration = admitted.map_err(|error| {
        if matches!(error, Error::KeyNotConfigured { kind: TokenKind::Lease, .. }) {
            shared.metrics.lease_key_missing.inc();
        }
        Refused::new(error.wire_code(), error.to_string())
    })?;
    let instance_id = registration.instance_id.as_str();
    let subject = registration.subject;
    if let Some(license_id) = &subject.license_id
        && !shared.registry.is_known(instance_id)
        && !shared.rates.load().new_ids.take(license_id)
    {
        let message = "this license registers too many new instances: wait a minute";
        return Err(Refused::new(WireErrorCode::RateLimited, message));
    }
    let is_lifetime = registration.expires_at.is_none();
    let expires_at = registration.expires_at.unwrap_or(now.saturating_add(LIFETIME_SESSION));
    let session = Session::new(instance_id, identity, expires_at, is_lifetime, &subject);
    Ok(Admitted::new(session, subject, None, registration.kind.as_str()))
}

/// For a reconnect: the session token says what the registration was.
fn resume(
    shared: &Shared,
    register: &Register,
    session_token: &Secret,
    identity: [u8; 32],
    now: UnixTime,
) -> Result<Admitted, Refused> {
    let session = shared
        .session_key
        .open(session_token.expose_secret(), now)
        .ok_or_else(|| Refused::out_of_date("the session token is unknown or has expired"))?;
    if register.instance_hint.as_ref().map(Secret::expose_secret) != Some(session.instance_id.as_str()) {
        return Err(Refused::out_of_date("instance_hint is not the session's instance id"));
    }
    if identity != session.identity {
        return Err(Refused::out_of_date("identity_pub_key is not the session's"));
    }
    let subject = session.subject();
    let admission = shared.admission.load();
    if !subject.signing_key_id.as_ref().is_some_and(|id| is_configured(admission.keys(), id)) {
        return Err(Refused::out_of_date("the key that signed the session's credential is no longer configured"));
    }
    check_revoked(shared, &subject)?;
    let generation = session.generation;
    Ok(Admitted::new(session, subject, Some(generation), "session"))
}

/// Asks the revocation list that is in force.
pub(crate) fn check_revoked(shared: &Shared, subject: &RevocationSubject) -> Result<(), Refused> {
    match shared.revocations.current().revoked(subject) {
        Some(what) => Err(Refused::new(WireErrorCode::LicenseInvalid, Error::revoked(what).to_string())),
        None => Ok(()),
    }
}

impl Admitted {
    fn new(session: Session, subject: RevocationSubject, generation: Option<u64>, kind: &'static str) -> Self {
        let expires_at = UnixTime::from_secs(session.expires_at);
        let claim = Claim {
            instance_id: session.instance_id.clone(),
            identity: session.identity,
            is_proved: false,
            generation,
            fence: None,
            expires_at,
        };
        let live = Live { expires_at, is_lifetime: session.is_lifetime, subject };
        Self { claim, session, live, kind }
    }
}
