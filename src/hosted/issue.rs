//! What the control plane writes for a tenant: a signed lease, and the billing state that holds it ([formats: lease
//! claims](crate::_documentation::formats#lease-claims), [tiers and
//! capabilities](crate::_documentation::formats#tiers-and-capabilities)).

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::runtime::DEFAULT_ORG;
use crate::encoding;
use crate::entitlement::{
    InstanceHost, LeaseClaims, SubscriptionState, canonical_plan, hosted_plan_capabilities, tenant_host,
};
use crate::error::{Error, Result};
use crate::json::{json_struct, or_default};
use crate::keys::SigningKey;
use crate::secret::Secret;
use crate::storage::BillingState;
use crate::time::UnixTime;

const DAY: Duration = Duration::from_secs(24 * 3600);

json_struct! {
    /// What a tenant has ordered. In its JSON an empty text or `null` means that it was not given.
    ///
    /// See the example of [`issue_billing_state`].
    #[derive(Clone, Default)]
    #[form(Deserialize in TenantOrderJson of "TenantOrder")]
    #[serde(deny_unknown_fields)]
    pub struct TenantOrder {
        /// `t-…`
        #[serde(default, deserialize_with = "or_default")]
        pub tenant_id: String,
        /// The control plane's base URL.
        #[serde(default, deserialize_with = "or_default")]
        pub base_url: String,
        /// Contact.
        #[serde(default, deserialize_with = "given")]
        pub email: Option<String>,
        /// The plan; `None` is `cloud_starter`.
        #[serde(default, deserialize_with = "given")]
        pub plan_version: Option<String>,
        /// The state; `None` is `active`.
        #[serde(default, deserialize_with = "given_state")]
        pub subscription_state: Option<SubscriptionState>,
        /// End of a trial; `None` is 14 days from now.
        #[serde(default, with = "crate::json::form")]
        pub trial_ends_at: Option<UnixTime>,
        /// Payment provider's id.
        #[serde(default, deserialize_with = "given")]
        pub stripe_customer_id: Option<String>,
        /// Payment provider's id.
        #[serde(default, deserialize_with = "given")]
        pub stripe_subscription_id: Option<String>,
        /// Payment provider's id.
        #[serde(default, deserialize_with = "given")]
        pub stripe_price_id: Option<String>,
    }
}

impl TenantOrder {
    /// An order of this tenant, at the control plane with this base URL, with nothing else given.
    pub fn new(tenant_id: impl Into<String>, base_url: impl Into<String>) -> Self {
        Self { tenant_id: tenant_id.into(), base_url: base_url.into(), ..Self::default() }
    }
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
///
/// See the example of [`issue_billing_state`].
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedTenant {
    /// The host.
    pub instance_host: InstanceHost,
    /// The state.
    pub billing: BillingState,
}

/// Issues a tenant's billing state. In `trial`, `active` and `grace` it holds a lease and a refresh token, and leaves
/// plan and state empty; in any other state it holds no lease, and plan and state are written into it. Whatever else
/// the tenant's billing state already holds stays unchanged: credits, trial times, members that this version does not
/// know, and payment ids that the order does not give. A new tenant starts from [`BillingState::default`].
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::hosted::{DEFAULT_ORG, TenantOrder, issue_billing_state};
/// use pulse_trust::keys::SigningKey;
/// use pulse_trust::storage::DataDir;
///
/// # let directory = tempfile::tempdir()?;
/// # let key = SigningKey::generate()?;
/// let mut order = TenantOrder::default();
/// order.tenant_id = "t-abc".to_owned();
/// order.base_url = "https://cloud.example.test".to_owned();
/// let locked = DataDir::new(directory.path()).lock()?;
/// let loaded = locked.billing_state(DEFAULT_ORG)?;
/// let existing = loaded.value.unwrap_or_default();
/// let mut issued = issue_billing_state(&order, existing, &key, UnixTime::from_secs(1_800_000_000))?;
/// locked.save_billing_state(DEFAULT_ORG, &mut issued.billing, &loaded.revision)?;
/// assert_eq!(issued.instance_host.as_str(), "t-abc.cloud.example.test");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`tenant_host`] and [`LeaseClaims::sign`]; [`Error::TrialEnded`] for a trial that would end before it begins;
/// [`Error::RandomUnavailable`].
pub fn issue_billing_state(
    order: &TenantOrder,
    existing: BillingState,
    key: &SigningKey,
    now: UnixTime,
) -> Result<IssuedTenant> {
    let instance_host = tenant_host(&order.tenant_id, &order.base_url)?;
    let state = order.subscription_state.as_ref().map(SubscriptionState::as_str);
    let state = SubscriptionState::from_name(&or_else(state, "active").to_lowercase());
    let plan = canonical_plan(or_else(order.plan_version.as_deref(), "cloud_starter")).into_owned();
    let mut billing = existing;
    replace_if_given(&mut billing.stripe_customer_id, &order.stripe_customer_id);
    replace_if_given(&mut billing.stripe_subscription_id, &order.stripe_subscription_id);
    replace_if_given(&mut billing.stripe_price_id, &order.stripe_price_id);
    // The lease, or the state without one, now says these.
    billing.clear_entitlement();
    if state.is_paid_or_trial() {
        billing.entitlement_jwt = Some(lease_claims(order, &instance_host, plan, state, now)?.sign(key)?);
        billing.entitlement_refresh_token = Some(refresh_token()?);
    } else {
        billing.plan_version = plan;
        billing.subscription_state = Some(state);
    }
    Ok(IssuedTenant { instance_host, billing })
}

/// `etr_hosted_` and 48 hex digits.
fn refresh_token() -> Result<Secret> {
    let secret = encoding::random_secret::<24>()?;
    let digits = Zeroizing::new(encoding::hex_encode(secret.as_slice()));
    Ok(Secret::from(format!("etr_hosted_{}", digits.as_str())))
}

fn replace_if_given(text: &mut Option<String>, given: &Option<String>) {
    if given.as_ref().is_some_and(|given| !given.trim().is_empty()) {
        text.clone_from(given);
    }
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.filter(|text| !text.trim().is_empty()))
}

fn given_state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SubscriptionState>, D::Error> {
    given(deserializer).map(|name| name.map(|name| SubscriptionState::from_name(name.trim())))
}

fn lease_claims(
    order: &TenantOrder,
    host: &InstanceHost,
    plan: String,
    state: SubscriptionState,
    now: UnixTime,
) -> Result<LeaseClaims> {
    let is_trial = state == SubscriptionState::Trial;
    let trial_ends_at = order.trial_ends_at.unwrap_or(now.saturating_add(DAY.saturating_mul(14)));
    if is_trial && trial_ends_at <= now {
        return Err(Error::TrialEnded { ended_at: trial_ends_at, now });
    }
    let exp = if is_trial { trial_ends_at } else { now.saturating_add(DAY) };
    let mut claims = LeaseClaims::new(host, exp);
    claims.org_id = DEFAULT_ORG.to_owned();
    claims.email = order.email.as_deref().map(|email| email.trim().to_owned()).filter(|email| !email.is_empty());
    claims.capabilities = hosted_plan_capabilities(&plan);
    claims.plan_version = plan;
    claims.subscription_state = state;
    claims.iat = Some(now);
    // This lets a revocation name this one lease.
    claims.jti = Some(encoding::hex_encode(&encoding::random_bytes::<16>()?));
    if is_trial {
        claims.trial_started_at = Some(now);
        claims.trial_ends_at = Some(trial_ends_at);
    }
    Ok(claims)
}

fn or_else<'a>(text: Option<&'a str>, default: &'a str) -> &'a str {
    text.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn order(members: &str) -> serde_json::Result<TenantOrder> {
        json::value_from_text(&format!(r#"{{"tenant_id":"t-a"{members}}}"#))
    }

    #[test]
    fn what_an_order_leaves_out_or_empty_is_not_given() {
        for members in [
            "",
            r#","plan_version":"","subscription_state":" ","trial_ends_at":null"#,
            r#","plan_version":null,"subscription_state":null,"base_url":null"#,
        ] {
            let order = order(members).unwrap();
            assert_eq!((order.plan_version, order.subscription_state, order.trial_ends_at), (None, None, None));
        }
        let given = order(r#","email":" a@b ","subscription_state":" trial ","trial_ends_at":-1"#).unwrap();
        assert_eq!(given.email.as_deref(), Some(" a@b "));
        assert_eq!(given.subscription_state, Some(SubscriptionState::Trial));
        assert_eq!(given.trial_ends_at, Some(UnixTime::from_secs(-1)));
        for wrong in [r#","email":7"#, r#","subscription_state":[]"#, r#","trial_ends_at":"1""#] {
            assert!(order(wrong).is_err(), "{wrong}");
        }
    }
}
