//! What a token entitles to: leases, licenses and grants.
//!
//! A [`VerifiedLease`], a [`VerifiedLicense`] and a [`VerifiedGrant`] are only obtained by verifying a token; policy
//! code takes these, or a [`VerifiedToken`] of any of the three kinds. An [`InspectedToken`] was read without regard to
//! time, for a screen that shows it; it is another type and grants nothing.
//!
//! The rules are those of [formats: hosted lease](crate::_documentation::formats#hosted-lease),
//! [grant](crate::_documentation::formats#grant), [license](crate::_documentation::formats#license) and
//! [lease refresh](crate::_documentation::formats#lease-refresh).

mod bulk;
mod capability;
mod claim_values;
mod claims;
mod claims_text;
mod entitlement_check;
mod grant;
mod grant_claims;
mod host;
mod inspected;
mod inspected_token;
mod lease;
mod lease_checks;
mod lease_claims;
mod license;
mod license_claims;
mod limits;
mod of_any_kind;
mod plan;
mod provider_chain;
mod provider_term;
mod refresh;
mod signed_claims;
mod state;
mod unique_names;
mod verified_token;

pub use crate::token_kind::{LEASE_AUDIENCE, LEASE_ISSUER};
#[cfg(feature = "storage")]
pub(crate) use capability::free_capabilities;
pub use capability::{Capability, Tier, hosted_plan_capabilities, provider_chain_ceiling};
#[cfg(feature = "storage")]
pub(crate) use entitlement_check::Subscription;
pub use grant::{GrantState, VerifiedGrant};
pub use grant_claims::GrantClaims;
pub use host::{InstanceHost, tenant_host};
pub use inspected::Inspected;
pub use inspected_token::InspectedToken;
pub use lease::VerifiedLease;
pub use lease_checks::{HostBinding, LeaseChecks};
pub use lease_claims::LeaseClaims;
pub use license::{LICENSE_GRACE, LicenseTerm, VerifiedLicense};
pub use license_claims::LicenseClaims;
pub use plan::{canonical_plan, scrub_limits};
pub use refresh::{RefreshOutcome, RefreshRequest, refresh_backoff, refresh_delay};
pub use state::{OtherState, SubscriptionState};
pub use verified_token::VerifiedToken;
