//! A token of any kind, verified under the keys configured for its kind.

use super::bulk;
use super::capability::Capability;
use super::grant::VerifiedGrant;
use super::lease::VerifiedLease;
use super::lease_checks::LeaseChecks;
use super::license::VerifiedLicense;
use super::of_any_kind::of_any_kind;
use super::provider_chain::verify_signature;
use super::signed_claims::{ClaimedToken, SignedClaims};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::keys::TrustKeys;
use crate::time::UnixTime;
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// A verified lease, license or grant.
///
/// ```
/// use pulse_trust::entitlement::{HostBinding, LeaseChecks, LicenseClaims, VerifiedToken};
/// use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
/// use pulse_trust::{TokenKind, UnixTime};
///
/// let server = SigningKey::generate()?;
/// let claims = LicenseClaims::from_json(r#"{"lid":"lic_1","email":"me@example.test","tier":"relay"}"#)?;
/// let token = claims.sign(&server)?;
/// let keys = TrustKeys::for_licenses(TrustKeySet::new([server.public_key().clone()]));
/// let checks = LeaseChecks::new(HostBinding::AnyHost);
/// let verified = VerifiedToken::verify(token.expose_secret(), &keys, &checks, UnixTime::from_secs(0))?;
/// assert_eq!(verified.kind(), TokenKind::License);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum VerifiedToken {
    /// A hosted lease.
    Lease(Box<VerifiedLease>),
    /// A classic license.
    License(Box<VerifiedLicense>),
    /// A grant.
    Grant(Box<VerifiedGrant>),
}

impl VerifiedToken {
    /// Verifies a token as the kind its claims say it is of. `checks` apply to a lease, and their leeway to all kinds.
    ///
    /// # Errors
    /// [`Error::TokenKindUnknown`]; else as the kind's own `verify`.
    pub fn verify(token: &str, keys: &TrustKeys, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        Self::from_signed(verify_signature(ClaimedToken::read(&token, None)?, keys, now)?, checks, now)
    }

    /// Verifies many tokens: each result is that of [`VerifiedToken::verify`], errors included. Signatures under the
    /// same key are checked together, in a fraction of the time.
    ///
    /// # Errors
    /// Each token has its own.
    pub fn verify_bulk(
        tokens: &[&str],
        keys: &TrustKeys,
        checks: &LeaseChecks<'_>,
        now: UnixTime,
    ) -> Vec<Result<Self>> {
        bulk::verify_all(tokens, None, keys, now, |signed| Self::from_signed(signed, checks, now))
    }

    fn from_signed(signed: SignedClaims<'_>, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        Ok(match signed.kind {
            TokenKind::Lease => Self::Lease(Box::new(VerifiedLease::from_signed(signed, checks, now)?)),
            TokenKind::License => Self::License(Box::new(VerifiedLicense::from_signed(signed, checks.leeway, now)?)),
            TokenKind::Grant => Self::Grant(Box::new(VerifiedGrant::from_signed(signed, checks.leeway, now)?)),
        })
    }

    /// Whether it is in term and grants `capability` at `now`.
    ///
    /// # Errors
    /// As the kind's own `check_grants`.
    pub fn check_grants(&self, capability: &Capability, now: UnixTime) -> Result<()> {
        match self {
            Self::Lease(lease) => lease.check_grants(capability, now),
            Self::License(license) => license.check_grants(capability, now),
            Self::Grant(grant) => grant.check_grants(capability, now),
        }
    }

    /// The capabilities that count at `now`, sorted.
    pub fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        match self {
            Self::Lease(lease) => lease.capabilities_at(now),
            Self::License(license) => license.capabilities_at(now),
            Self::Grant(grant) => grant.capabilities_at(now),
        }
    }

    /// From this moment on it no longer counts, its grace and the leeway that was asked for included; `None` for a
    /// lifetime license.
    pub fn counts_until(&self) -> Option<UnixTime> {
        match self {
            Self::Lease(lease) => Some(lease.counts_until()),
            Self::License(license) => license.counts_until(),
            Self::Grant(grant) => Some(grant.counts_until()),
        }
    }
}

of_any_kind!(VerifiedToken);
