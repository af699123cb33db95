//! What the control plane writes for a tenant: a signed lease, and the billing state that holds it (FORMATS 3.1, 3.5).

use core::fmt;
use core::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::runtime::DEFAULT_ORG;
use crate::encoding;
use crate::entitlement::{
    InstanceHost, LeaseClaims, SubscriptionState, canonical_plan, hosted_plan_capabilities, tenant_host,
};
use crate::error::Result;
use crate::keys::SigningKey;
use crate::storage::BillingState;
use crate::time::UnixTime;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a tenant has ordered. Texts that are empty were not given.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantOrder {
    /// `t-…`
    pub tenant_id: String,
    /// The control plane's base URL.
    pub base_url: String,
    /// Contact.
    pub email: String,
    /// The plan; empty is `cloud_starter`.
    pub plan_version: String,
    /// The state; empty is `active`.
    pub subscription_state: String,
    /// End of a trial, Unix seconds; `None` is 14 days from now.
    pub trial_ends_at: Option<i64>,
    /// Payment provider's id.
    pub stripe_customer_id: String,
    /// Payment provider's id.
    pub stripe_subscription_id: String,
    /// Payment provider's id.
    pub stripe_price_id: String,
}

impl fmt::Debug for TenantOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantOrder")
            .field("tenant_id", &self.tenant_id)
            .field("plan_version", &self.plan_version)
            .field("subscription_state", &self.subscription_state)
            .finish_non_exhaustive()
    }
}

/// A tenant's billing state, to be saved in its directory, and the host its lease is for.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedTenant {
    /// The host.
    pub instance_host: InstanceHost,
    /// The state.
    pub billing: BillingState,
}

/// Issues a tenant's billing state. In `trial`, `active` and `grace` it holds a lease and a refresh token, and leaves plan
/// and state empty; in any other state it holds no lease, and plan and state stand in it.
///
/// # Errors
/// As [`tenant_host`] and [`LeaseClaims::sign`]; [`crate::Error::RandomUnavailable`].
pub fn issue_billing_state(order: &TenantOrder, key: &SigningKey, now: UnixTime) -> Result<IssuedTenant> {
    let instance_host = tenant_host(&order.tenant_id, &order.base_url)?;
    let state = or_else(&order.subscription_state, "active").to_lowercase();
    let plan = canonical_plan(or_else(&order.plan_version, "cloud_starter")).into_owned();
    let mut billing = BillingState::default();
    billing.stripe_customer_id.clone_from(&order.stripe_customer_id);
    billing.stripe_subscription_id.clone_from(&order.stripe_subscription_id);
    billing.stripe_price_id.clone_from(&order.stripe_price_id);
    let state = SubscriptionState::from_name(&state);
    if state.is_paid_or_trial() {
        let lease = lease_claims(order, &instance_host, plan, state, now)?.sign(key)?;
        billing.entitlement_jwt = Zeroizing::new(lease);
        let secret = Zeroizing::new(encoding::random_bytes::<24>()?);
        let digits = Zeroizing::new(encoding::hex_encode(secret.as_slice()));
        billing.entitlement_refresh_token = Zeroizing::new(format!("etr_hosted_{}", digits.as_str()));
    } else {
        billing.plan_version = plan;
        billing.subscription_state = state.as_str().to_owned();
    }
    Ok(IssuedTenant { instance_host, billing })
}

fn lease_claims(
    order: &TenantOrder,
    host: &InstanceHost,
    plan: String,
    state: SubscriptionState,
    now: UnixTime,
) -> Result<LeaseClaims> {
    let is_trial = state == SubscriptionState::Trial;
    let trial_ends_at = order.trial_ends_at.map_or(now.saturating_add(DAY.saturating_mul(14)), UnixTime::from_secs);
    let exp = if is_trial { trial_ends_at } else { now.saturating_add(DAY) };
    let mut claims = LeaseClaims::new(host, exp);
    claims.org_id = DEFAULT_ORG.to_owned();
    claims.email = Some(order.email.trim().to_owned()).filter(|email| !email.is_empty());
    claims.capabilities = hosted_plan_capabilities(&plan);
    claims.plan_version = plan;
    claims.subscription_state = state;
    claims.iat = Some(now);
    // So that a revocation can name this one lease.
    claims.jti = Some(encoding::hex_encode(&encoding::random_bytes::<16>()?));
    if is_trial {
        claims.trial_started_at = Some(now);
        claims.trial_ends_at = Some(trial_ends_at);
    }
    Ok(claims)
}

fn or_else<'a>(text: &'a str, default: &'a str) -> &'a str {
    match text.trim() {
        "" => default,
        given => given,
    }
}
