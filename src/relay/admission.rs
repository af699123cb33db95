//! Who may register: a token, a hint and a time go in, a registration or an error comes out
//! ([formats: admission](crate::_documentation::formats#admission)).

use core::fmt;
use std::sync::Arc;

use super::instance_id::InstanceId;
use super::revocation::{RevocationSubject, Revocations};
use crate::entitlement::{Capability, HostBinding, LeaseChecks, VerifiedToken};
use crate::error::{Error, Result};
use crate::keys::{PublicKey, TrustKeys};
use crate::time::{ClockLeeway, UnixTime};
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// How a license's or grant's instance id is derived: from the license id and the instance secret. A lease's id always
/// comes from its host.
///
/// ```
/// use pulse_trust::keys::TrustKeys;
/// use pulse_trust::relay::{Admission, InstanceId, InstanceIdRule};
///
/// /// Ids as an older relay gave them.
/// struct Legacy;
///
/// impl InstanceIdRule for Legacy {
///     fn instance_id(&self, license_id: &str, instance_secret: &str) -> pulse_trust::Result<InstanceId> {
///         InstanceId::of_license(&license_id.to_lowercase(), instance_secret)
///     }
/// }
///
/// let admission = Admission::new(TrustKeys::default()).with_instance_id_rule(Legacy);
/// ```
pub trait InstanceIdRule: Send + Sync {
    /// The id of the instance with this license and this secret.
    ///
    /// # Errors
    /// Depends on the rule; [`Error::InstanceHintMissing`] for an empty secret.
    fn instance_id(&self, license_id: &str, instance_secret: &str) -> Result<InstanceId>;
}

/// The default rule: a hash of license id and instance secret
/// ([formats: instance-ids](crate::_documentation::formats#instance-ids)).
///
/// See the example of [`InstanceIdRule`].
#[derive(Debug, Clone, Copy)]
pub struct DefaultInstanceIdRule;

impl InstanceIdRule for DefaultInstanceIdRule {
    fn instance_id(&self, license_id: &str, instance_secret: &str) -> Result<InstanceId> {
        InstanceId::of_license(license_id, instance_secret)
    }
}

/// A relay's answer to REGISTER: its trust keys and its rules.
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::keys::TrustKeys;
/// use pulse_trust::relay::{Admission, NoRevocations, WireErrorCode};
///
/// let admission = Admission::new(TrustKeys::default());
/// let refused = admission.admit("no token", None, &NoRevocations, UnixTime::from_secs(0)).unwrap_err();
/// assert_eq!(refused.wire_code(), WireErrorCode::LicenseInvalid);
/// ```
#[derive(Clone)]
pub struct Admission {
    keys: TrustKeys,
    leeway: ClockLeeway,
    id_rule: Arc<dyn InstanceIdRule>,
}

impl Admission {
    /// Admission under these keys, without clock leeway, with the default instance ids.
    pub fn new(keys: TrustKeys) -> Self {
        Self { keys, leeway: ClockLeeway::NONE, id_rule: Arc::new(DefaultInstanceIdRule) }
    }

    /// Allows the clocks of the control plane and the relay to differ by this much.
    #[must_use]
    pub fn with_leeway(self, leeway: ClockLeeway) -> Self {
        Self { leeway, ..self }
    }

    /// Derives ids of licenses and grants by another rule: for a relay that takes over existing pairings.
    #[must_use]
    pub fn with_instance_id_rule(self, rule: impl InstanceIdRule + 'static) -> Self {
        Self { id_rule: Arc::new(rule), ..self }
    }

    /// The keys it trusts.
    pub fn keys(&self) -> &TrustKeys {
        &self.keys
    }

    /// Decides on one registration: verifies the token under the keys of its kind, checks the `relay` capability and
    /// the revocations, and derives the instance id. `hint` is the instance secret, which a license or grant needs; a
    /// lease's id comes from its host, whatever the hint.
    ///
    /// # Errors
    /// The error says which claim or setting; [`Error::wire_code`] is what the ERROR frame says.
    pub fn admit(
        &self,
        token: &str,
        hint: Option<&str>,
        revocations: &dyn Revocations,
        now: UnixTime,
    ) -> Result<Registration> {
        let checks = LeaseChecks::new(HostBinding::AnyHost).with_leeway(self.leeway);
        let text = token;
        let token = VerifiedToken::verify(text, &self.keys, &checks, now).map_err(at_the_relay)?;
        token.check_grants(&Capability::RELAY, now)?;
        let instance_id = match &token {
            VerifiedToken::Lease(lease) => InstanceId::of_host(lease.instance_host()),
            VerifiedToken::License(license) => self.id_with_secret(&license.claims().lid, hint)?,
            VerifiedToken::Grant(grant) => self.id_with_secret(&grant.claims().lid, hint)?,
        };
        let subject = RevocationSubject {
            instance_id: Some(instance_id.as_str().to_owned()),
            signing_key_id: self.signing_key_id(text, &token)?,
            ..RevocationSubject::of(&token)
        };
        if let Some(what) = revocations.revoked(&subject) {
            return Err(Error::Revoked { what });
        }
        let expires_at = token.counts_until();
        Ok(Registration { instance_id, kind: token.kind(), expires_at, subject, token })
    }

    /// The id of the configured key that signed a verified token.
    fn signing_key_id(&self, text: &str, token: &VerifiedToken) -> Result<Option<String>> {
        let keys = match token.kind() {
            TokenKind::Lease => &self.keys.lease,
            TokenKind::License | TokenKind::Grant => &self.keys.license,
        };
        let id = |key: &PublicKey| key.key_id().as_str().to_owned();
        let mut rest = keys.keys();
        // Except during a rotation, there is only one key, which must be it.
        if let (Some(only), None) = (rest.next(), rest.next()) {
            return Ok(Some(id(only)));
        }
        let parsed = UnverifiedToken::parse(text)?;
        Ok(keys.keys().find(|key| parsed.verify_under(key, token.kind()).is_ok()).map(id))
    }

    fn id_with_secret(&self, license_id: &str, hint: Option<&str>) -> Result<InstanceId> {
        let secret = hint.filter(|secret| !secret.is_empty()).ok_or(Error::InstanceHintMissing)?;
        self.id_rule.instance_id(license_id, secret)
    }
}

/// The same error, naming the variable that the relay reads.
fn at_the_relay(error: Error) -> Error {
    match error {
        Error::KeyNotConfigured { kind, .. } => Error::KeyNotConfigured { kind, setting: kind.relay_key_setting() },
        other => other,
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("keys", &self.keys).field("leeway", &self.leeway).finish_non_exhaustive()
    }
}

/// A registration that may be answered with an ACK.
///
/// See the example of [`Admission`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Registration {
    /// The id under which phones reach the instance.
    pub instance_id: InstanceId,
    /// The kind of credential.
    pub kind: TokenKind,
    /// The moment at which the registration ends: the credential's expiry, its grace included, or the end of a trial,
    /// whichever is earlier, plus the requested leeway. The ACK names it, and a relay must end the session then. `None`
    /// for a lifetime license.
    pub expires_at: Option<UnixTime>,
    /// What a later revocation could name.
    pub subject: RevocationSubject,
    token: VerifiedToken,
}

impl Registration {
    /// The capabilities that count at `now`, sorted.
    pub fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        self.token.capabilities_at(now)
    }

    /// The credential that was verified.
    pub fn token(&self) -> &VerifiedToken {
        &self.token
    }
}
