//! A lease that is refreshed while the runtime runs: where its parts come from, and how its outcome is saved ([formats:
//! lease-refresh](crate::_documentation::formats#lease-refresh)).

use super::runtime::Runtime;
use crate::entitlement::{HostBinding, Inspected, LeaseChecks, SubscriptionState, VerifiedLease};
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
    let Some(refresh_token) = &billing.entitlement_refresh_token else {
        return Ok(None);
    };
    let lease = billing.entitlement_jwt.as_ref().ok_or(Error::NoLease)?;
    let checks = runtime.lease_checks_for(Some(org));
    let lease = Inspected::<VerifiedLease>::inspect(lease.expose_secret(), &runtime.keys, &checks, now)?;
    let claims = lease.claims();
    let (org, host) = (claims.org_id.as_str(), claims.instance_host.as_str());
    Ok(Some(LeaseRefresh::new(org, host, refresh_token.duplicate(), runtime.keys.clone(), Some(claims.exp))))
}

/// What came of a refresh, as it was saved in the billing state.
///
/// See the example of [`clear_lost_lease`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct RefreshSaved {
    /// The billing state no longer holds the refresh token that was asked with, so nothing was changed: the control
    /// plane has issued another lease meanwhile, or somebody has cleared this one. That is no fault. Make a new
    /// [`crate::session::InstanceEnd`] with what [`super::registration_credential`] and [`lease_refresh`] return now.
    pub superseded: bool,
    /// What the caller should be told about.
    pub warnings: Vec<Warning>,
}

/// Saves a refreshed lease ([`crate::session::InstanceEvent::LeaseRefreshed`]) in place of the one that was refreshed,
/// if the billing state still holds the refresh token that was asked with. It is verified once more, because only a
/// verified lease may replace another; and it must be for the same host, as the instance id follows from that.
///
/// # Errors
/// As [`VerifiedLease::verify`], and as [`Inspected::inspect`] for the lease that is replaced; as reading and writing
/// the billing state. The file is then unchanged. [`Error::NoLease`] if the state holds the token without a lease.
pub fn save_refreshed_lease(
    data_dir: &LockedDataDir,
    runtime: &Runtime,
    org: &str,
    refresh_token: &Secret,
    secret_lease: &str,
    now: UnixTime,
) -> Result<RefreshSaved> {
    change(data_dir, org, refresh_token, |billing| {
        let checks = runtime.lease_checks_for(Some(org));
        let old = billing.entitlement_jwt.as_ref().ok_or(Error::NoLease)?;
        let old = Inspected::<VerifiedLease>::inspect(old.expose_secret(), &runtime.keys, &checks, now)?;
        let checks = LeaseChecks::new(HostBinding::Require(&old.claims().instance_host)).with_org(org);
        VerifiedLease::verify(secret_lease, &runtime.keys, &checks, now)?;
        billing.entitlement_jwt = Some(secret_lease.into());
        Ok(())
    })
}

/// Clears the lease and the refresh token after the control plane has refused that token for good
/// ([`crate::session::InstanceEvent::LeaseLost`]), and saves the state `expired`. A billing state that holds another
/// token has another lease, which stays.
///
/// ```
/// use pulse_trust::Secret;
/// use pulse_trust::hosted::clear_lost_lease;
/// use pulse_trust::storage::DataDir;
///
/// # let parent = tempfile::tempdir()?;
/// # let path = parent.path().join("pulse");
/// let data_dir = DataDir::create(path)?.lock()?;
/// // The answer is late: the billing state does not hold this token anymore.
/// let saved = clear_lost_lease(&data_dir, "default", &Secret::from("etr_hosted_0"))?;
/// assert!(saved.superseded);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As reading and writing the billing state; [`Error::NoLease`] if the state holds the token without a lease.
pub fn clear_lost_lease(data_dir: &LockedDataDir, org: &str, refresh_token: &Secret) -> Result<RefreshSaved> {
    change(data_dir, org, refresh_token, |billing| {
        billing.entitlement_jwt.take().ok_or(Error::NoLease)?;
        billing.entitlement_refresh_token = None;
        billing.subscription_state = Some(SubscriptionState::Expired);
        Ok(())
    })
}

/// Changes a billing state that still holds the refresh token that was asked with: each lease is issued with its own.
fn change(
    data_dir: &LockedDataDir,
    org: &str,
    refresh_token: &Secret,
    change: impl FnOnce(&mut BillingState) -> Result<()>,
) -> Result<RefreshSaved> {
    let loaded = data_dir.billing_state(org)?;
    let mut warnings = loaded.warnings;
    let asked_with = refresh_token.duplicate().trimmed().non_empty();
    let is_current = |billing: &BillingState| asked_with.is_some() && billing.entitlement_refresh_token == asked_with;
    let Some(mut billing) = loaded.value.filter(is_current) else {
        return Ok(RefreshSaved { superseded: true, warnings });
    };
    change(&mut billing)?;
    Warning::add_new(&mut warnings, data_dir.save_billing_state(org, &mut billing, &loaded.revision)?.warnings);
    Ok(RefreshSaved { superseded: false, warnings })
}
