//! A lease that was verified, and one that was only inspected.

use super::capability::Capability;
use super::claims::RawClaims;
use super::entitlement_check::Subscription;
use super::host::InstanceHost;
use super::lease_claims::LeaseClaims;
use super::state::SubscriptionState;
use super::verify_lease::{CheckedLease, LeaseChecks, LeaseTerm, TimeRule, check_signature, check_signed_lease};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::keys::TrustKeys;
use crate::time::{ClockLeeway, UnixTime};
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// A lease whose signature, issuer, audience, time, organization and host were checked. Worth keeping: asking it again
/// at a later time needs no signature check.
///
/// ```
/// use core::time::Duration;
/// use pulse_trust::UnixTime;
/// use pulse_trust::entitlement::{
///     Capability, HostBinding, LeaseChecks, LeaseClaims, VerifiedLease, hosted_plan_capabilities, tenant_host,
/// };
/// use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
///
/// let control_plane = SigningKey::generate()?;
/// let now = UnixTime::from_secs(1_774_440_000);
/// let host = tenant_host("t-abc", "https://cloud.example.test")?;
/// let mut claims = LeaseClaims::new(&host, now.saturating_add(Duration::from_secs(86_400)));
/// claims.capabilities = hosted_plan_capabilities("cloud_starter");
/// let token = claims.sign(&control_plane)?;
///
/// let keys = TrustKeys { lease: TrustKeySet::new([control_plane.public_key().clone()]), ..TrustKeys::default() };
/// let checks = LeaseChecks::new(HostBinding::Require("t-abc.cloud.example.test"));
/// let lease = VerifiedLease::verify(&token, &keys, &checks, now)?;
/// lease.check_grants(&Capability::RELAY, now)?;
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct VerifiedLease {
    claims: LeaseClaims,
    host: InstanceHost,
    leeway: ClockLeeway,
    provider_chained: bool,
}

impl VerifiedLease {
    /// Verifies a lease (FORMATS 3.1).
    ///
    /// # Errors
    /// The first check that fails, in the order of FORMATS 2.
    pub fn verify(token: &str, keys: &TrustKeys, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        Self::verify_parsed(&token, RawClaims::parse(token.unverified_payload())?, keys, checks, now)
    }

    /// Verifies many leases: each result is that of [`VerifiedLease::verify`], and so is its error. Signatures under the
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
        super::bulk::verify_all(
            tokens,
            keys,
            now,
            |_| Ok(TokenKind::Lease),
            |_, raw, signature| Self::from_signed(raw, signature?, checks, now),
        )
    }

    pub(super) fn verify_parsed(
        token: &UnverifiedToken<'_>,
        raw: RawClaims<'_>,
        keys: &TrustKeys,
        checks: &LeaseChecks<'_>,
        now: UnixTime,
    ) -> Result<Self> {
        let provider_chained = check_signature(token, &raw, keys, now)?;
        Self::from_signed(raw, provider_chained, checks, now)
    }

    /// All checks but the signature's.
    pub(super) fn from_signed(
        raw: RawClaims<'_>,
        provider_chained: bool,
        checks: &LeaseChecks<'_>,
        now: UnixTime,
    ) -> Result<Self> {
        let CheckedLease { claims, host, provider_chained } =
            check_signed_lease(raw, provider_chained, checks, now, TimeRule::Enforce)?;
        Ok(Self { claims, host, leeway: checks.leeway, provider_chained })
    }

    /// The claims in their normal form.
    pub fn claims(&self) -> &LeaseClaims {
        &self.claims
    }

    /// The host the lease is for.
    pub fn instance_host(&self) -> &InstanceHost {
        &self.host
    }

    /// From this moment on the lease is expired.
    pub fn expires_at(&self) -> UnixTime {
        self.claims.exp
    }

    /// Whether a provider signed it under a license (FORMATS 3.4): such a lease never registers at the relay.
    pub fn is_provider_chained(&self) -> bool {
        self.provider_chained
    }

    /// Whether the lease is still in term at `now`.
    ///
    /// # Errors
    /// [`Error::Expired`], [`Error::NotYetValid`].
    pub fn check_time(&self, now: UnixTime) -> Result<()> {
        LeaseTerm { not_before: self.claims.nbf, expires_at: self.claims.exp }.check(self.leeway, now)
    }

    /// Whether the lease is for this host, in any spelling.
    ///
    /// # Errors
    /// [`Error::HostMismatch`], [`Error::HostInvalid`].
    pub fn check_host(&self, expected: &str) -> Result<()> {
        self.host.check_is(expected)
    }

    /// Whether the lease is in term and grants `capability` at `now` (FORMATS 3.5).
    ///
    /// # Errors
    /// As [`VerifiedLease::check_time`]; [`Error::TrialEnded`], [`Error::TrialWithoutEnd`],
    /// [`Error::SubscriptionInactive`], [`Error::CapabilityMissing`].
    pub fn check_grants(&self, capability: &Capability, now: UnixTime) -> Result<()> {
        self.check_time(now)?;
        self.subscription().check_grants(capability, now)
    }

    /// The capabilities that count at `now`, sorted; of a lease out of term the free set.
    pub fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        match self.check_time(now) {
            Ok(()) => self.subscription().capabilities_at(now),
            Err(_) => super::capability::free_capabilities(),
        }
    }

    /// The state at `now`: a trial that has ended is expired.
    pub fn state_at(&self, now: UnixTime) -> SubscriptionState {
        self.subscription().state_at(now)
    }

    fn subscription(&self) -> Subscription<'_> {
        Subscription {
            kind: TokenKind::Lease,
            state: &self.claims.subscription_state,
            trial_ends_at: self.claims.trial_ends_at,
            capabilities: &self.claims.capabilities,
        }
    }
}

/// A lease whose signature, issuer, audience, organization and host were checked, but not its time: for a screen that
/// shows an expired lease. It grants nothing, and no policy takes it.
#[derive(Debug, Clone)]
pub struct InspectedLease {
    claims: LeaseClaims,
}

impl InspectedLease {
    /// Checks all but the lease's own time. `now` counts for a provider license inside it (FORMATS 3.4).
    ///
    /// # Errors
    /// As [`VerifiedLease::verify`], without [`Error::Expired`] and [`Error::NotYetValid`] of the lease.
    pub fn inspect(token: &str, keys: &TrustKeys, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        let raw = RawClaims::parse(token.unverified_payload())?;
        let provider_chained = check_signature(&token, &raw, keys, now)?;
        let CheckedLease { claims, .. } = check_signed_lease(raw, provider_chained, checks, now, TimeRule::Ignore)?;
        Ok(Self { claims })
    }

    /// The claims in their normal form.
    pub fn claims(&self) -> &LeaseClaims {
        &self.claims
    }
}
