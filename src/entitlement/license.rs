//! Classic licenses (FORMATS 5).

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use serde::Serialize;

use super::capability::{Capability, Tier};
use super::claims::{self, RawClaims};
use super::entitlement_check::Subscription;
use super::plan::{canonical_plan, scrub_limits};
use super::state::SubscriptionState;
use crate::error::{Error, Result};
use crate::keys::{SigningKey, TrustKeys};
use crate::time::{UnixTime, serialize_optional_secs};
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;
use crate::{json, token};

/// How long a license still counts after its expiry: seven days.
pub const LICENSE_GRACE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The claims of a license.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LicenseClaims {
    /// License id.
    pub lid: String,
    /// Contact.
    pub email: String,
    /// Tier name.
    pub tier: String,
    /// Issued at.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_secs")]
    pub iat: Option<UnixTime>,
    /// Expiry; `None` is a lifetime license.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_secs")]
    pub exp: Option<UnixTime>,
    /// End of the paid period.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_secs")]
    pub license_period_end: Option<UnixTime>,
    /// Features beside the tier's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Capability>,
    /// Guests allowed; 0 is unlimited.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_guests: i64,
    /// Users allowed; 0 is unlimited.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_users: i64,
    /// When not empty, the capabilities in place of the tier's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// Limits by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, i64>,
    /// Meters that are on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub meters_enabled: Vec<String>,
    /// The plan; canonical once verified.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub plan_version: String,
    /// The state; absent is `active`.
    pub subscription_state: SubscriptionState,
    /// The key under which an MSP signs leases (FORMATS 3.4), base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entitlement_signing_public_key: Option<String>,
}

impl LicenseClaims {
    /// Reads claims written as JSON, to sign them.
    ///
    /// # Errors
    /// [`Error::PayloadMalformed`], [`Error::ClaimType`], [`Error::ClaimMissing`].
    pub fn from_json(text: &str) -> Result<Self> {
        Self::from_raw(RawClaims::parse(text)?)
    }

    /// The claims as compact JSON.
    pub fn to_json(&self) -> Result<String> {
        json::to_compact(self).map_err(|error| Error::ClaimsUnsignable { reason: error.to_string() })
    }

    /// Signs the claims as they are.
    ///
    /// # Errors
    /// As [`token::sign`].
    pub fn sign(&self, key: &SigningKey) -> Result<String> {
        token::sign(key, &self.to_json()?)
    }

    fn from_raw(raw: RawClaims<'_>) -> Result<Self> {
        let state = claims::optional_text("subscription_state", raw.subscription_state)?;
        Ok(Self {
            lid: claims::required_text("lid", raw.lid)?,
            email: claims::required_text("email", raw.email)?,
            tier: claims::required_text("tier", raw.tier)?,
            iat: claims::time("iat", raw.iat)?,
            exp: claims::time("exp", raw.exp)?.filter(|exp| exp.as_secs() != 0),
            license_period_end: claims::time("license_period_end", raw.license_period_end)?,
            features: claims::capabilities("features", raw.features)?,
            max_guests: claims::integer("max_guests", raw.max_guests)?.unwrap_or_default(),
            max_users: claims::integer("max_users", raw.max_users)?.unwrap_or_default(),
            capabilities: claims::capabilities("capabilities", raw.capabilities)?,
            limits: claims::limits(raw.limits)?,
            meters_enabled: claims::texts("meters_enabled", raw.meters_enabled)?,
            plan_version: claims::optional_text("plan_version", raw.plan_version)?.unwrap_or_default(),
            subscription_state: SubscriptionState::from_name(state.as_deref().unwrap_or("active")),
            entitlement_signing_public_key: claims::optional_text(
                "entitlement_signing_public_key",
                raw.entitlement_signing_public_key,
            )?,
        })
    }
}

/// Leaves out the contact.
impl fmt::Debug for LicenseClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LicenseClaims")
            .field("lid", &self.lid)
            .field("tier", &self.tier)
            .field("exp", &self.exp)
            .field("subscription_state", &self.subscription_state)
            .finish_non_exhaustive()
    }
}

/// Where in its term a license is.
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
#[derive(Debug, Clone)]
pub struct VerifiedLicense {
    claims: LicenseClaims,
    capabilities: Vec<Capability>,
    limits: BTreeMap<String, i64>,
}

impl VerifiedLicense {
    /// Verifies a license under the license keys.
    ///
    /// # Errors
    /// The first check that fails: shape, signature, kind, required claims, term ([`Error::Expired`] past the grace).
    pub fn verify(token: &str, keys: &TrustKeys, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        Self::verify_parsed(&token, RawClaims::parse(token.unverified_payload())?, keys, now)
    }

    pub(super) fn verify_parsed(
        token: &UnverifiedToken<'_>,
        raw: RawClaims<'_>,
        keys: &TrustKeys,
        now: UnixTime,
    ) -> Result<Self> {
        token.verify(&keys.license, TokenKind::License)?;
        Self::from_signed(raw, now)
    }

    /// All checks but the signature's.
    pub(super) fn from_signed(raw: RawClaims<'_>, now: UnixTime) -> Result<Self> {
        let license = Self::read_signed(raw)?;
        license.term_at(now)?;
        Ok(license)
    }

    /// All checks but time.
    fn read(token: &UnverifiedToken<'_>, raw: RawClaims<'_>, keys: &TrustKeys) -> Result<Self> {
        let kind = TokenKind::License;
        token.verify(&keys.license, kind)?;
        Self::read_signed(raw)
    }

    /// All checks but the signature's and time.
    fn read_signed(raw: RawClaims<'_>) -> Result<Self> {
        let kind = TokenKind::License;
        match raw.kind() {
            None | Some(TokenKind::License) => {}
            Some(other) => return Err(Error::TokenKind { expected: kind, received: other }),
        }
        let mut claims = LicenseClaims::from_raw(raw)?;
        claims.plan_version = canonical_plan(&claims.plan_version).into_owned();
        Ok(Self { capabilities: capabilities_of(&claims), limits: limits_of(&claims), claims })
    }

    /// The claims, the plan in its normal form.
    pub fn claims(&self) -> &LicenseClaims {
        &self.claims
    }

    /// What the license grants while its state lets it.
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
        let ends_at = expires_at.saturating_add(LICENSE_GRACE);
        if now <= expires_at {
            Ok(LicenseTerm::InTerm { expires_at })
        } else if now < ends_at {
            Ok(LicenseTerm::InGrace { ends_at })
        } else {
            Err(Error::Expired { kind: TokenKind::License, expired_at: expires_at, now })
        }
    }

    /// From this moment on the license no longer counts, its grace included; `None` for a lifetime license.
    pub fn counts_until(&self) -> Option<UnixTime> {
        self.claims.exp.map(|exp| exp.saturating_add(LICENSE_GRACE))
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
            Err(_) => super::capability::free_capabilities(),
        }
    }

    fn subscription(&self) -> Subscription<'_> {
        Subscription {
            kind: TokenKind::License,
            state: &self.claims.subscription_state,
            trial_ends_at: None,
            capabilities: &self.capabilities,
        }
    }
}

/// A license read without regard to time: for a screen that shows it. It grants nothing, and no policy takes it.
#[derive(Debug, Clone)]
pub struct InspectedLicense(VerifiedLicense);

impl InspectedLicense {
    /// Checks all but time.
    ///
    /// # Errors
    /// As [`VerifiedLicense::verify`], without [`Error::Expired`].
    pub fn inspect(token: &str, keys: &TrustKeys) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        VerifiedLicense::read(&token, RawClaims::parse(token.unverified_payload())?, keys).map(Self)
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

/// The scrubbed `limits` when anything is left of them, else the two counts that are not zero, under the same scrub.
pub(super) fn limits_with_counts(
    plan: &str,
    limits: &BTreeMap<String, i64>,
    max_guests: i64,
    max_users: i64,
) -> BTreeMap<String, i64> {
    let mut own = limits.clone();
    scrub_limits(plan, &mut own);
    if !own.is_empty() {
        return own;
    }
    let counts = [("max_guests", max_guests), ("max_users", max_users)];
    let mut counted: BTreeMap<String, i64> =
        counts.into_iter().filter(|(_, count)| *count != 0).map(|(name, count)| (name.to_owned(), count)).collect();
    scrub_limits(plan, &mut counted);
    counted
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(count: &i64) -> bool {
    *count == 0
}
