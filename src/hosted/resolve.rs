//! What a billing state counts for, once the lease in it was verified ([formats: billing
//! state](crate::_documentation::formats#billing-state), last paragraph).

use std::collections::BTreeMap;

use crate::entitlement::{
    Capability, Inspected, LeaseChecks, Subscription, SubscriptionState, VerifiedLease, free_capabilities,
};
use crate::error::Error;
use crate::keys::TrustKeys;
use crate::secret::Secret;
use crate::storage::BillingState;
use crate::time::{ClockLeeway, UnixTime};
use crate::token_kind::TokenKind;

/// The effective billing state. Resolving it does not change the file.
///
/// See the example of [`resolve_billing`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResolvedBilling {
    /// Capabilities that the lease or the file names, whatever the state is: [`ResolvedBilling::capabilities_at`] says
    /// which of them count.
    pub capabilities: Vec<Capability>,
    /// Limits by name.
    pub limits: BTreeMap<String, i64>,
    /// Meters that are on.
    pub meters_enabled: Vec<String>,
    /// The plan.
    pub plan_version: String,
    /// The state, if there is one.
    pub subscription_state: Option<SubscriptionState>,
    /// When the trial began.
    pub trial_started_at: Option<UnixTime>,
    /// When the trial ends.
    pub trial_ends_at: Option<UnixTime>,
    /// Why the lease does not count, if there is one that does not.
    pub lease_error: Option<Error>,
}

impl ResolvedBilling {
    /// The capabilities that count at `now`, sorted: the free set always, the state's own only in `trial` (until its
    /// end), `active` and `grace` ([formats: tiers and
    /// capabilities](crate::_documentation::formats#tiers-and-capabilities)).
    pub fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        let Some(state) = &self.subscription_state else { return free_capabilities() };
        let subscription = Subscription {
            kind: TokenKind::Lease,
            state,
            trial_ends_at: self.trial_ends_at,
            leeway: ClockLeeway::NONE,
            capabilities: &self.capabilities,
        };
        subscription.capabilities_at(now)
    }
}

/// Resolves a billing state: the lease's values if it holds one that verifies, otherwise what the format prescribes for
/// a lease that does not verify.
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::entitlement::{HostBinding, LeaseChecks};
/// use pulse_trust::hosted::resolve_billing;
/// use pulse_trust::keys::TrustKeys;
/// use pulse_trust::storage::BillingState;
///
/// let mut state = BillingState::default();
/// state.plan_version = "cloud_starter".to_owned();
/// let checks = LeaseChecks::new(HostBinding::AnyHost);
/// let resolved = resolve_billing(&state, &TrustKeys::default(), &checks, UnixTime::from_secs(1_800_000_000));
/// assert_eq!((resolved.plan_version.as_str(), resolved.lease_error), ("cloud_starter", None));
/// ```
pub fn resolve_billing(
    state: &BillingState,
    keys: &TrustKeys,
    checks: &LeaseChecks<'_>,
    now: UnixTime,
) -> ResolvedBilling {
    let Some(token) = &state.entitlement_jwt else {
        return end_trial(of_file(state), now);
    };
    match VerifiedLease::verify(token.expose_secret(), keys, checks, now) {
        Ok(lease) => end_trial(of_lease(&lease), now),
        Err(error) => of_refused_lease(state, token, keys, checks, now, error),
    }
}

fn of_file(state: &BillingState) -> ResolvedBilling {
    ResolvedBilling {
        capabilities: state.capabilities.clone(),
        limits: state.limits.clone(),
        meters_enabled: state.meters_enabled.clone(),
        plan_version: state.plan_version.clone(),
        subscription_state: state.subscription_state.clone(),
        trial_started_at: state.trial_started_at,
        trial_ends_at: state.trial_ends_at,
        lease_error: None,
    }
}

fn of_lease(lease: &VerifiedLease) -> ResolvedBilling {
    let claims = lease.claims();
    ResolvedBilling {
        capabilities: claims.capabilities.clone(),
        limits: claims.limits.clone(),
        meters_enabled: claims.meters_enabled.clone(),
        plan_version: claims.plan_version.clone(),
        subscription_state: SubscriptionState::given(claims.subscription_state.as_str()),
        trial_started_at: claims.trial_started_at,
        trial_ends_at: claims.trial_ends_at,
        lease_error: None,
    }
}

/// If only the time is wrong, the state is expired, with the lease's trial times. If anything else is wrong, nothing
/// counts, except that a trial which has begun is over.
fn of_refused_lease(
    state: &BillingState,
    token: &Secret,
    keys: &TrustKeys,
    checks: &LeaseChecks<'_>,
    now: UnixTime,
    error: Error,
) -> ResolvedBilling {
    let mut resolved = ResolvedBilling {
        capabilities: Vec::new(),
        limits: BTreeMap::new(),
        meters_enabled: Vec::new(),
        plan_version: String::new(),
        subscription_state: None,
        trial_started_at: state.trial_started_at,
        trial_ends_at: state.trial_ends_at,
        lease_error: None,
    };
    if error.is_about_time()
        && let Ok(lease) = Inspected::<VerifiedLease>::inspect(token.expose_secret(), keys, checks, now)
    {
        resolved.plan_version = SubscriptionState::Expired.as_str().to_owned();
        resolved.subscription_state = Some(SubscriptionState::Expired);
        resolved.trial_started_at = lease.claims().trial_started_at;
        resolved.trial_ends_at = lease.claims().trial_ends_at;
    } else if state.trial_started_at.is_some() {
        resolved.subscription_state = Some(SubscriptionState::Expired);
    }
    ResolvedBilling { lease_error: Some(error), ..resolved }
}

/// A trial that has ended keeps its plan.
fn end_trial(mut resolved: ResolvedBilling, now: UnixTime) -> ResolvedBilling {
    let has_ended = resolved.trial_ends_at.is_some_and(|ends_at| ends_at <= now);
    if resolved.subscription_state == Some(SubscriptionState::Trial) && has_ended {
        resolved.subscription_state = Some(SubscriptionState::Expired);
        resolved.capabilities.clear();
        resolved.limits.clear();
        resolved.meters_enabled.clear();
    }
    resolved
}
