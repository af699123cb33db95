//! A lease that is refreshed while the runtime runs: where its parts come from, and how its outcome is saved ([formats:
//! lease-refresh](crate::_documentation::formats#lease-refresh)).

use super::runtime::Runtime;
use crate::entitlement::{Inspected, SubscriptionState, VerifiedLease};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::session::LeaseRefresh;
use crate::storage::{BillingState, LockedDataDir};
use crate::time::UnixTime;
use crate::warning::Warning;

/// How the lease of a billing state, which is that of the organization `org`, is refreshed, for
/// [`crate::session::InstanceConfig::refresh`]; `None` if the state holds no refresh token. A lease that has expired is
/// refreshed too.
///
/// # Errors
/// [`Error::NoLease`] if there is a refresh token without a lease; as [`Inspected::inspect`].
pub fn lease_refresh(
    billing: &BillingState,
    runtime: &Runtime,
    org: &str,
    now: UnixTime,
) -> Result<Option<LeaseRefresh>> {
    if billing.entitlement_refresh_token.is_empty() {
        return Ok(None);
    }
    if billing.entitlement_jwt.is_empty() {
        return Err(Error::NoLease);
    }
    let checks = runtime.lease_checks_for(Some(org));
    let lease =
        Inspected::<VerifiedLease>::inspect(billing.entitlement_jwt.expose_secret(), &runtime.keys, &checks, now)?;
    let claims = lease.claims();
    let refresh_token = billing.entitlement_refresh_token.expose_secret();
    let (org, host) = (claims.org_id.as_str(), claims.instance_host.as_str());
    Ok(Some(LeaseRefresh::new(org, host, refresh_token, runtime.keys.clone(), Some(claims.exp))))
}

/// Saves a refreshed lease ([`crate::session::InstanceEvent::LeaseRefreshed`]) in place of the old one. It is verified
/// once more, because only a verified lease may replace another.
///
/// # Errors
/// As [`VerifiedLease::verify`], and as reading and writing the billing state; the file is then unchanged.
/// [`Error::NoLease`] if the state no longer holds a lease: the decision to clear it stands.
pub fn save_refreshed_lease(
    data_dir: &LockedDataDir,
    runtime: &Runtime,
    org: &str,
    secret_token: &str,
    now: UnixTime,
) -> Result<Vec<Warning>> {
    VerifiedLease::verify(secret_token, &runtime.keys, &runtime.lease_checks_for(Some(org)), now)?;
    change(data_dir, org, |billing| billing.entitlement_jwt = secret_token.into())
}

/// Clears the lease and the refresh token after the control plane has refused for good
/// ([`crate::session::InstanceEvent::LeaseLost`]), and saves the state `expired`.
///
/// # Errors
/// As reading and writing the billing state; [`Error::NoLease`] if the state no longer holds a lease.
pub fn clear_lost_lease(data_dir: &LockedDataDir, org: &str) -> Result<Vec<Warning>> {
    change(data_dir, org, |billing| {
        billing.entitlement_jwt = Secret::default();
        billing.entitlement_refresh_token = Secret::default();
        billing.subscription_state = Some(SubscriptionState::Expired);
    })
}

fn change(data_dir: &LockedDataDir, org: &str, change: impl FnOnce(&mut BillingState)) -> Result<Vec<Warning>> {
    let loaded = data_dir.billing_state(org)?;
    let mut billing = loaded.value.filter(|billing| !billing.entitlement_jwt.is_empty()).ok_or(Error::NoLease)?;
    change(&mut billing);
    let mut warnings = loaded.warnings;
    Warning::add_new(&mut warnings, data_dir.save_billing_state(org, &mut billing, &loaded.revision)?.warnings);
    Ok(warnings)
}
