//! Grants: the short-lived tokens of an activated self-hosted instance (formats.md#grant).

use core::time::Duration;
use std::collections::BTreeMap;

use super::capability::{Capability, Tier, free_capabilities};
use super::entitlement_check::Subscription;
use super::grant_claims::GrantClaims;
use super::inspected::Inspected;
use super::license::LICENSE_GRACE;
use super::limits::limits_with_counts;
use super::signed_claims::{ClaimedToken, SignedClaims};
use super::state::SubscriptionState;
use crate::error::{Error, Result};
use crate::keys::TrustKeys;
use crate::time::{ClockLeeway, UnixTime};
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// What a grant counts as at a given time.
///
/// See the example of [`VerifiedGrant`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrantState {
    /// In term and paid.
    Active,
    /// Past due, or past its expiry and within its grace: it still counts.
    Grace,
    /// Suspended, or in a state we do not know, and not yet expired.
    Suspended,
    /// Past its grace.
    Expired,
}

impl GrantState {
    /// `active`, `grace`, `suspended` or `expired`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Grace => "grace",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
        }
    }
}

/// A grant whose signature and required claims were checked, and which was not past its grace.
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::entitlement::{GrantClaims, GrantState, VerifiedGrant};
/// use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
///
/// let license_server = SigningKey::generate()?;
/// let claims = GrantClaims::from_json(
///     r#"{"lid":"lic_1","iid":"inst_1","st":"active","tier":"pro","exp":1774440060}"#,
/// )?;
/// let token = claims.sign(&license_server)?;
///
/// let license = TrustKeySet::new([license_server.public_key().clone()]);
/// let keys = TrustKeys::for_licenses(license);
/// let now = UnixTime::from_secs(1_774_440_000);
/// let grant = VerifiedGrant::verify(token.expose_secret(), &keys, now)?;
/// assert_eq!(grant.state_at(now), GrantState::Active);
/// assert_eq!(grant.state_at(UnixTime::from_secs(1_774_440_061)), GrantState::Grace);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedGrant {
    claims: GrantClaims,
    claimed_state: SubscriptionState,
    capabilities: Vec<Capability>,
    limits: BTreeMap<String, i64>,
    leeway: ClockLeeway,
}

impl VerifiedGrant {
    /// Verifies a grant under the license keys. A suspended one verifies, and grants nothing beyond free.
    ///
    /// # Errors
    /// The first check that fails: shape, signature, kind, required claims, time ([`Error::Expired`] past the grace).
    pub fn verify(token: &str, keys: &TrustKeys, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        let signed = ClaimedToken::read(&token, Some(TokenKind::Grant))?.verify(keys)?;
        Self::from_signed(signed, ClockLeeway::NONE, now)
    }

    /// All checks but the signature's.
    pub(super) fn from_signed(signed: SignedClaims<'_>, leeway: ClockLeeway, now: UnixTime) -> Result<Self> {
        let grant = Self { leeway, ..Self::read_signed(signed)? };
        grant.check_time(now)?;
        Ok(grant)
    }

    /// All checks but the signature's and time.
    fn read_signed(signed: SignedClaims<'_>) -> Result<Self> {
        signed.check_kind()?;
        let claims = GrantClaims::from_raw(signed.raw)?;
        let claimed_state = match claims.st.as_str() {
            "active" => SubscriptionState::Active,
            "past_due" | "grace" => SubscriptionState::Grace,
            _ => SubscriptionState::Suspended,
        };
        let capabilities = Tier::from_name(&claims.tier).capabilities_with(&claims.feat);
        let plan = if claims.plan.is_empty() { &claims.tier } else { &claims.plan };
        let limits = limits_with_counts(plan, &BTreeMap::new(), claims.max_guests, claims.max_users);
        Ok(Self { claims, claimed_state, capabilities, limits, leeway: ClockLeeway::NONE })
    }

    /// The claims.
    pub fn claims(&self) -> &GrantClaims {
        &self.claims
    }

    /// The state that the issuer claims, in the common names, without regard to time.
    pub fn claimed_state(&self) -> &SubscriptionState {
        &self.claimed_state
    }

    /// What the grant grants while its state allows it.
    pub fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// The limits that count.
    pub fn limits(&self) -> &BTreeMap<String, i64> {
        &self.limits
    }

    /// What the grant counts as at `now`.
    pub fn state_at(&self, now: UnixTime) -> GrantState {
        match self.claimed_state {
            _ if now >= self.counts_until() => GrantState::Expired,
            SubscriptionState::Suspended => GrantState::Suspended,
            _ if now > self.claims.exp => GrantState::Grace,
            SubscriptionState::Grace => GrantState::Grace,
            _ => GrantState::Active,
        }
    }

    /// From this moment on the grant no longer counts: its expiry with its grace and the requested leeway.
    pub fn counts_until(&self) -> UnixTime {
        // In term while now <= exp: one second more than the expiry itself.
        let term_ends_at = self.claims.exp.saturating_add(Duration::from_secs(1));
        self.grace_ends_at().max(term_ends_at).saturating_add(self.leeway.as_duration())
    }

    /// Whether the grant counts and grants `capability` at `now`.
    ///
    /// # Errors
    /// [`Error::Expired`], [`Error::SubscriptionInactive`], [`Error::CapabilityMissing`].
    pub fn check_grants(&self, capability: &Capability, now: UnixTime) -> Result<()> {
        self.check_time(now)?;
        self.subscription().check_grants(capability, now)
    }

    /// The capabilities that count at `now`, sorted.
    pub fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        match self.state_at(now) {
            GrantState::Expired => free_capabilities(),
            _ => self.subscription().capabilities_at(now),
        }
    }

    fn check_time(&self, now: UnixTime) -> Result<()> {
        if self.state_at(now) == GrantState::Expired {
            return Err(Error::Expired { kind: TokenKind::Grant, expired_at: self.claims.exp, now });
        }
        Ok(())
    }

    fn grace_ends_at(&self) -> UnixTime {
        self.claims.grace_until.unwrap_or(self.claims.exp.saturating_add(LICENSE_GRACE))
    }

    fn subscription(&self) -> Subscription<'_> {
        Subscription {
            kind: TokenKind::Grant,
            state: &self.claimed_state,
            trial_ends_at: None,
            leeway: ClockLeeway::NONE,
            capabilities: &self.capabilities,
        }
    }
}

impl Inspected<VerifiedGrant> {
    /// Checks all but time.
    ///
    /// # Errors
    /// As [`VerifiedGrant::verify`], without [`Error::Expired`].
    pub fn inspect(token: &str, keys: &TrustKeys) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        Self::from_signed(ClaimedToken::read(&token, Some(TokenKind::Grant))?.verify(keys)?)
    }

    pub(super) fn from_signed(signed: SignedClaims<'_>) -> Result<Self> {
        VerifiedGrant::read_signed(signed).map(Self)
    }

    /// The claims.
    pub fn claims(&self) -> &GrantClaims {
        &self.0.claims
    }

    /// What the grant counts as at `now`.
    pub fn state_at(&self, now: UnixTime) -> GrantState {
        self.0.state_at(now)
    }
}
