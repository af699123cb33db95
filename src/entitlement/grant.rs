//! Grants: the short-lived tokens of an activated self-hosted instance (FORMATS 4).

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::capability::{Capability, Tier};
use super::claims::{self, RawClaims};
use super::entitlement_check::Subscription;
use super::license::{LICENSE_GRACE, limits_with_counts};
use super::state::SubscriptionState;
use crate::error::{Error, Result};
use crate::keys::{SigningKey, TrustKeys};
use crate::time::{UnixTime, serialize_optional_secs, serialize_secs};
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;
use crate::{json, token};

/// The claims of a grant, in the order issuers write them.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GrantClaims {
    /// Issuer; not checked.
    pub iss: String,
    /// Audience; not checked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub aud: String,
    /// License id.
    pub lid: String,
    /// Installation id.
    pub iid: String,
    /// License version.
    pub lv: i64,
    /// State, as the issuer names it.
    pub st: String,
    /// Tier name.
    pub tier: String,
    /// Plan.
    pub plan: String,
    /// Features beside the tier's.
    pub feat: Vec<Capability>,
    /// Guests allowed; 0 is unlimited.
    pub max_guests: i64,
    /// Users allowed; 0 is unlimited.
    pub max_users: i64,
    /// Issued at; 1970 where the claim is missing.
    #[serde(serialize_with = "serialize_secs")]
    pub iat: UnixTime,
    /// Expiry: the grant is in term while `now <= exp`.
    #[serde(serialize_with = "serialize_secs")]
    pub exp: UnixTime,
    /// End of the paid period.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_secs")]
    pub current_period_end: Option<UnixTime>,
    /// End of the grace after the expiry; `None`, written as 0, is seven days after it.
    #[serde(serialize_with = "serialize_or_zero")]
    pub grace_until: Option<UnixTime>,
    /// Token id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jti: String,
    /// Contact.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
}

impl GrantClaims {
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
        let text = |claim, value| claims::optional_text(claim, value).map(Option::unwrap_or_default);
        let number = |claim, value| claims::integer(claim, value).map(Option::unwrap_or_default);
        Ok(Self {
            iss: text("iss", raw.iss)?,
            // An audience that is no text is no error: nothing asks for it.
            aud: raw.aud.and_then(|aud| serde_json::from_str(aud.get()).ok()).unwrap_or_default(),
            lid: claims::required_text("lid", raw.lid)?,
            iid: claims::required_text("iid", raw.iid)?,
            lv: number("lv", raw.lv)?,
            st: text("st", raw.st)?,
            tier: claims::required_text("tier", raw.tier)?,
            plan: text("plan", raw.plan)?,
            feat: claims::capabilities("feat", raw.feat)?,
            max_guests: number("max_guests", raw.max_guests)?,
            max_users: number("max_users", raw.max_users)?,
            iat: claims::time("iat", raw.iat)?.unwrap_or(UnixTime::from_secs(0)),
            exp: claims::time("exp", raw.exp)?.ok_or(Error::ClaimMissing { claim: "exp" })?,
            current_period_end: claims::time("current_period_end", raw.current_period_end)?,
            grace_until: claims::time("grace_until", raw.grace_until)?.filter(|until| until.as_secs() != 0),
            jti: text("jti", raw.jti)?,
            email: text("email", raw.email)?,
        })
    }
}

/// Leaves out the contact.
impl fmt::Debug for GrantClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantClaims")
            .field("lid", &self.lid)
            .field("iid", &self.iid)
            .field("st", &self.st)
            .field("tier", &self.tier)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

/// What a grant counts as at a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrantState {
    /// In term and paid.
    Active,
    /// Past due, or past its expiry and within its grace: it still counts.
    Grace,
    /// Suspended, or in a state we do not know.
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
#[derive(Debug, Clone)]
pub struct VerifiedGrant {
    claims: GrantClaims,
    claimed_state: SubscriptionState,
    capabilities: Vec<Capability>,
    limits: BTreeMap<String, i64>,
}

impl VerifiedGrant {
    /// Verifies a grant under the license keys. A suspended one verifies, and grants nothing beyond free.
    ///
    /// # Errors
    /// The first check that fails: shape, signature, kind, required claims, time ([`Error::Expired`] past the grace).
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
        token.verify(&keys.license, TokenKind::Grant)?;
        Self::from_signed(raw, now)
    }

    /// All checks but the signature's.
    pub(super) fn from_signed(raw: RawClaims<'_>, now: UnixTime) -> Result<Self> {
        let grant = Self::read_signed(raw)?;
        grant.check_time(now)?;
        Ok(grant)
    }

    /// All checks but time.
    fn read(token: &UnverifiedToken<'_>, raw: RawClaims<'_>, keys: &TrustKeys) -> Result<Self> {
        let kind = TokenKind::Grant;
        token.verify(&keys.license, kind)?;
        Self::read_signed(raw)
    }

    /// All checks but the signature's and time.
    fn read_signed(raw: RawClaims<'_>) -> Result<Self> {
        let kind = TokenKind::Grant;
        if raw.kind() == Some(TokenKind::Lease) {
            return Err(Error::TokenKind { expected: kind, received: TokenKind::Lease });
        }
        let claims = GrantClaims::from_raw(raw)?;
        let claimed_state = match claims.st.as_str() {
            "active" => SubscriptionState::Active,
            "past_due" | "grace" => SubscriptionState::Grace,
            _ => SubscriptionState::Suspended,
        };
        let capabilities = Tier::from_name(&claims.tier).capabilities_with(&claims.feat);
        let plan = if claims.plan.is_empty() { &claims.tier } else { &claims.plan };
        let limits = limits_with_counts(plan, &BTreeMap::new(), claims.max_guests, claims.max_users);
        Ok(Self { claims, claimed_state, capabilities, limits })
    }

    /// The claims.
    pub fn claims(&self) -> &GrantClaims {
        &self.claims
    }

    /// The state the issuer claims, in the common names; time is not counted.
    pub fn claimed_state(&self) -> &SubscriptionState {
        &self.claimed_state
    }

    /// What the grant grants while its state lets it.
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
            SubscriptionState::Suspended => GrantState::Suspended,
            _ if now > self.claims.exp => {
                if now < self.grace_ends_at() {
                    GrantState::Grace
                } else {
                    GrantState::Expired
                }
            }
            SubscriptionState::Grace => GrantState::Grace,
            _ => GrantState::Active,
        }
    }

    /// From this moment on the grant no longer counts, its grace included.
    pub fn counts_until(&self) -> UnixTime {
        // In term while now <= exp: one second more than the expiry itself.
        self.grace_ends_at().max(self.claims.exp.saturating_add(Duration::from_secs(1)))
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
            GrantState::Expired => super::capability::free_capabilities(),
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
            capabilities: &self.capabilities,
        }
    }
}

/// A grant read without regard to time: for a screen that shows it. It grants nothing, and no policy takes it.
#[derive(Debug, Clone)]
pub struct InspectedGrant(VerifiedGrant);

impl InspectedGrant {
    /// Checks all but time.
    ///
    /// # Errors
    /// As [`VerifiedGrant::verify`], without [`Error::Expired`].
    pub fn inspect(token: &str, keys: &TrustKeys) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        VerifiedGrant::read(&token, RawClaims::parse(token.unverified_payload())?, keys).map(Self)
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

fn serialize_or_zero<S: Serializer>(time: &Option<UnixTime>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.map_or(0, UnixTime::as_secs))
}
