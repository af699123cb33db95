//! A lease that was verified, and one that was only inspected.

use super::bulk;
use super::capability::{Capability, free_capabilities};
use super::entitlement_check::Subscription;
use super::host::InstanceHost;
use super::inspected::Inspected;
use super::lease_checks::{LeaseChecks, LeaseTerm, TimeRule, check_signed_lease};
use super::lease_claims::LeaseClaims;
use super::provider_chain::verify_signature;
use super::provider_term::ProviderTerm;
use super::signed_claims::{ClaimedToken, SignedClaims};
use super::state::SubscriptionState;
use crate::error::{Error, Result};
use crate::keys::TrustKeys;
use crate::time::{ClockLeeway, UnixTime};
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// A lease whose signature, issuer, audience, time, organization and host were checked. It is worth keeping: evaluating
/// it again later needs no signature check.
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
/// let keys = TrustKeys::for_leases(TrustKeySet::new([control_plane.public_key().clone()]));
/// let checks = LeaseChecks::new(HostBinding::Require("t-abc.cloud.example.test"));
/// let lease = VerifiedLease::verify(token.expose_secret(), &keys, &checks, now)?;
/// lease.check_grants(&Capability::RELAY, now)?;
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug)]
pub struct VerifiedLease {
    claims: LeaseClaims,
    host: InstanceHost,
    leeway: ClockLeeway,
    provider: Option<ProviderTerm>,
}

impl VerifiedLease {
    /// Verifies a lease under the lease keys, or, where it holds a provider's license, under that provider's key.
    ///
    /// # Errors
    /// The first check that fails: size, shape, header, signature, issuer, audience, time, organization, host
    /// ([formats: compact tokens](crate::_documentation::formats#compact-tokens)).
    pub fn verify(token: &str, keys: &TrustKeys, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        let claimed = ClaimedToken::read(&token, Some(TokenKind::Lease))?;
        Self::from_signed(verify_signature(claimed, keys, now)?, checks, now)
    }

    /// Verifies many leases: each result is that of [`VerifiedLease::verify`], errors included. Signatures under the
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
        let lease = Some(TokenKind::Lease);
        bulk::verify_all(tokens, lease, keys, now, |signed| Self::from_signed(signed, checks, now))
    }

    /// All checks but the signature's.
    pub(super) fn from_signed(signed: SignedClaims<'_>, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        Self::read_signed(signed, checks, TimeRule::Enforce(now))
    }

    fn read_signed(signed: SignedClaims<'_>, checks: &LeaseChecks<'_>, time: TimeRule) -> Result<Self> {
        let provider = signed.provider;
        let (claims, host) = check_signed_lease(signed, checks, time)?;
        Ok(Self { claims, host, leeway: checks.leeway, provider })
    }

    /// The claims in their normal form.
    pub fn claims(&self) -> &LeaseClaims {
        &self.claims
    }

    /// The host the lease is for.
    pub fn instance_host(&self) -> &InstanceHost {
        &self.host
    }

    /// The expiry that the lease names.
    pub fn expires_at(&self) -> UnixTime {
        self.claims.exp
    }

    /// From this moment on the lease no longer counts: its expiry or the end of its trial, and the leeway that was
    /// asked for; or, if that is earlier, the end of the license under which a provider signed it.
    pub fn counts_until(&self) -> UnixTime {
        let trial_ends_at =
            self.claims.trial_ends_at.filter(|_| self.claims.subscription_state == SubscriptionState::Trial);
        let ends_at = trial_ends_at.map_or(self.claims.exp, |trial_ends_at| trial_ends_at.min(self.claims.exp));
        let ends_at = ends_at.saturating_add(self.leeway.as_duration());
        let provider_ends_at = self.provider.as_ref().and_then(ProviderTerm::counts_until);
        provider_ends_at.map_or(ends_at, |provider_ends_at| provider_ends_at.min(ends_at))
    }

    /// Whether a provider signed it under its own license
    /// ([formats: provider-chained lease](crate::_documentation::formats#provider-chained-lease)). Such a lease never
    /// registers at the relay.
    pub fn is_provider_chained(&self) -> bool {
        self.provider.is_some()
    }

    /// Whether the lease, and the license under which a provider signed it, are still in term at `now`.
    ///
    /// # Errors
    /// [`Error::Expired`], [`Error::NotYetValid`]; [`Error::ProviderChain`] once that license has expired.
    pub fn check_time(&self, now: UnixTime) -> Result<()> {
        self.provider.map_or(Ok(()), |provider| provider.check(now))?;
        LeaseTerm { not_before: self.claims.nbf, expires_at: self.claims.exp }.check(self.leeway, now)
    }

    /// Whether the lease is for this host, in any spelling that has the same normal form.
    ///
    /// # Errors
    /// [`Error::HostMismatch`], [`Error::HostInvalid`].
    pub fn check_host(&self, expected: &str) -> Result<()> {
        self.host.check_is(expected)
    }

    /// Whether the lease is in term and grants `capability` at `now`
    /// ([formats: tiers and capabilities](crate::_documentation::formats#tiers-and-capabilities)).
    ///
    /// # Errors
    /// As [`VerifiedLease::check_time`]; [`Error::TrialEnded`], [`Error::TrialWithoutEnd`],
    /// [`Error::SubscriptionInactive`], [`Error::CapabilityMissing`].
    pub fn check_grants(&self, capability: &Capability, now: UnixTime) -> Result<()> {
        self.check_time(now)?;
        self.subscription().check_grants(capability, now)
    }

    /// The capabilities that count at `now`, sorted; for a lease that is out of term, the free set.
    pub fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        match self.check_time(now) {
            Ok(()) => self.subscription().capabilities_at(now),
            Err(_) => free_capabilities(),
        }
    }

    /// The state at `now`: past its expiry, past the end of its trial, or past that of the license under which a
    /// provider signed it, a lease is expired.
    pub fn state_at(&self, now: UnixTime) -> SubscriptionState {
        match self.check_time(now) {
            Err(Error::Expired { .. } | Error::ProviderChain { .. }) => SubscriptionState::Expired,
            _ => self.subscription().state_at(now),
        }
    }

    fn subscription(&self) -> Subscription<'_> {
        Subscription {
            kind: TokenKind::Lease,
            state: &self.claims.subscription_state,
            trial_ends_at: self.claims.trial_ends_at,
            leeway: self.leeway,
            capabilities: &self.claims.capabilities,
        }
    }
}

impl Inspected<VerifiedLease> {
    /// Checks everything but the lease's own time. `now` counts for a provider's license inside it, which has to be in
    /// term.
    ///
    /// # Errors
    /// As [`VerifiedLease::verify`], without [`Error::Expired`] and [`Error::NotYetValid`] of the lease.
    pub fn inspect(token: &str, keys: &TrustKeys, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        let claimed = ClaimedToken::read(&token, Some(TokenKind::Lease))?;
        Self::from_signed(verify_signature(claimed, keys, now)?, checks)
    }

    pub(super) fn from_signed(signed: SignedClaims<'_>, checks: &LeaseChecks<'_>) -> Result<Self> {
        VerifiedLease::read_signed(signed, checks, TimeRule::Ignore).map(Self)
    }

    /// The claims in their normal form.
    pub fn claims(&self) -> &LeaseClaims {
        &self.0.claims
    }

    /// The state at `now`, as [`VerifiedLease::state_at`] says.
    pub fn state_at(&self, now: UnixTime) -> SubscriptionState {
        self.0.state_at(now)
    }
}
