//! Classic licenses (formats.md#license).

use core::time::Duration;
use std::collections::BTreeMap;

use super::capability::{Capability, Tier, free_capabilities};
use super::entitlement_check::Subscription;
use super::inspected::Inspected;
use super::license_claims::LicenseClaims;
use super::limits::limits_with_counts;
use super::plan::canonical_plan;
use super::provider_term::ProviderTerm;
use super::signed_claims::{ClaimedToken, SignedClaims};
use crate::error::{Error, Result};
use crate::keys::TrustKeys;
use crate::time::{ClockLeeway, UnixTime};
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// How long a license still counts after its expiry: seven days.
pub const LICENSE_GRACE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Where in its term a license is.
///
/// See the example of [`VerifiedLicense`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LicenseTerm {
    /// It never expires.
    Lifetime,
    /// Before its expiry.
    InTerm {
        /// Its expiry.
        expires_at: UnixTime,
    },
    /// Past its expiry, in the seven days in which it still counts.
    InGrace {
        /// From this moment on it no longer counts.
        ends_at: UnixTime,
    },
}

/// A license whose signature, required claims and term were checked.
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::entitlement::{Capability, LicenseClaims, LicenseTerm, VerifiedLicense};
/// use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
///
/// let license_server = SigningKey::generate()?;
/// let claims = LicenseClaims::from_json(r#"{"lid":"lic_1","email":"owner@example.test","tier":"pro"}"#)?;
/// let token = claims.sign(&license_server)?;
///
/// let license = TrustKeySet::new([license_server.public_key().clone()]);
/// let keys = TrustKeys::for_licenses(license);
/// let now = UnixTime::from_secs(1_774_440_000);
/// let license = VerifiedLicense::verify(token.expose_secret(), &keys, now)?;
/// assert_eq!(license.term_at(now)?, LicenseTerm::Lifetime);
/// license.check_grants(&Capability::RELAY, now)?;
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedLicense {
    claims: LicenseClaims,
    capabilities: Vec<Capability>,
    limits: BTreeMap<String, i64>,
    leeway: ClockLeeway,
}

impl VerifiedLicense {
    /// Verifies a license under the license keys.
    ///
    /// # Errors
    /// The first check that fails: shape, signature, kind, required claims, term ([`Error::Expired`] past the grace).
    pub fn verify(token: &str, keys: &TrustKeys, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        let signed = ClaimedToken::read(&token, Some(TokenKind::License))?.verify(keys)?;
        Self::from_signed(signed, ClockLeeway::NONE, now)
    }

    /// All checks but the signature's.
    pub(super) fn from_signed(signed: SignedClaims<'_>, leeway: ClockLeeway, now: UnixTime) -> Result<Self> {
        let license = Self { leeway, ..Self::read_signed(signed)? };
        license.term_at(now)?;
        Ok(license)
    }

    /// All checks but the signature's and time.
    fn read_signed(signed: SignedClaims<'_>) -> Result<Self> {
        signed.check_kind()?;
        let mut claims = LicenseClaims::from_raw(signed.raw)?;
        claims.plan_version = canonical_plan(&claims.plan_version).into_owned();
        let (capabilities, limits) = (capabilities_of(&claims), limits_of(&claims));
        Ok(Self { capabilities, limits, claims, leeway: ClockLeeway::NONE })
    }

    /// The claims, the plan in its normal form.
    pub fn claims(&self) -> &LicenseClaims {
        &self.claims
    }

    /// What the license grants while its state allows it.
    pub fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// The limits that count.
    pub fn limits(&self) -> &BTreeMap<String, i64> {
        &self.limits
    }

    /// Where in its term the license is at `now`.
    ///
    /// # Errors
    /// [`Error::Expired`] past the grace.
    pub fn term_at(&self, now: UnixTime) -> Result<LicenseTerm> {
        let Some(expires_at) = self.claims.exp else {
            return Ok(LicenseTerm::Lifetime);
        };
        let ends_at = self.ends_at(expires_at);
        if now <= expires_at {
            Ok(LicenseTerm::InTerm { expires_at })
        } else if now < ends_at {
            Ok(LicenseTerm::InGrace { ends_at })
        } else {
            Err(Error::Expired { kind: TokenKind::License, expired_at: expires_at, now })
        }
    }

    /// From this moment on the license no longer counts: its expiry with its grace and the requested leeway; `None` for
    /// a lifetime license.
    pub fn counts_until(&self) -> Option<UnixTime> {
        self.claims.exp.map(|expires_at| self.ends_at(expires_at))
    }

    /// How long leases that are signed under this license count.
    pub(super) fn provider_term(&self) -> ProviderTerm {
        ProviderTerm::new(self.claims.exp.map(|expires_at| (expires_at, self.ends_at(expires_at))))
    }

    fn ends_at(&self, expires_at: UnixTime) -> UnixTime {
        expires_at.saturating_add(LICENSE_GRACE).saturating_add(self.leeway.as_duration())
    }

    /// Whether the license counts and grants `capability` at `now`.
    ///
    /// # Errors
    /// [`Error::Expired`], [`Error::SubscriptionInactive`], [`Error::CapabilityMissing`], [`Error::TrialWithoutEnd`].
    pub fn check_grants(&self, capability: &Capability, now: UnixTime) -> Result<()> {
        self.term_at(now)?;
        self.subscription().check_grants(capability, now)
    }

    /// The capabilities that count at `now`, sorted.
    pub fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        match self.term_at(now) {
            Ok(_) => self.subscription().capabilities_at(now),
            Err(_) => free_capabilities(),
        }
    }

    fn subscription(&self) -> Subscription<'_> {
        Subscription {
            kind: TokenKind::License,
            state: &self.claims.subscription_state,
            trial_ends_at: None,
            leeway: ClockLeeway::NONE,
            capabilities: &self.capabilities,
        }
    }
}

impl Inspected<VerifiedLicense> {
    /// Checks all but time.
    ///
    /// # Errors
    /// As [`VerifiedLicense::verify`], without [`Error::Expired`].
    pub fn inspect(token: &str, keys: &TrustKeys) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        Self::from_signed(ClaimedToken::read(&token, Some(TokenKind::License))?.verify(keys)?)
    }

    pub(super) fn from_signed(signed: SignedClaims<'_>) -> Result<Self> {
        VerifiedLicense::read_signed(signed).map(Self)
    }

    /// The claims, the plan in its normal form.
    pub fn claims(&self) -> &LicenseClaims {
        &self.0.claims
    }

    /// Where in its term the license is at `now`.
    ///
    /// # Errors
    /// [`Error::Expired`] past the grace.
    pub fn term_at(&self, now: UnixTime) -> Result<LicenseTerm> {
        self.0.term_at(now)
    }
}

fn capabilities_of(claims: &LicenseClaims) -> Vec<Capability> {
    if claims.capabilities.is_empty() {
        Tier::from_name(&claims.tier).capabilities_with(&claims.features)
    } else {
        claims.capabilities.clone()
    }
}

fn limits_of(claims: &LicenseClaims) -> BTreeMap<String, i64> {
    let plan = if claims.plan_version.is_empty() { &claims.tier } else { &claims.plan_version };
    limits_with_counts(plan, &claims.limits, claims.max_guests, claims.max_users)
}
