//! What a token entitles to: leases, licenses, grants (FORMATS 3, 4, 5, 10).
//!
//! A [`VerifiedLease`], a [`VerifiedLicense`] and a [`VerifiedGrant`] can only be had by verifying a token; policy code
//! takes these. An [`InspectedLease`] is a lease read without regard to time, for a screen that shows it; it is another
//! type and grants nothing.

mod bulk;
mod capability;
mod claims;
mod entitlement_check;
mod grant;
mod host;
mod lease;
mod lease_claims;
mod license;
mod plan;
mod refresh;
mod state;
mod verified_token;
mod verify_lease;

pub use crate::token_kind::{LEASE_AUDIENCE, LEASE_ISSUER};
pub use capability::{Capability, Tier, hosted_plan_capabilities, provider_chain_ceiling};
pub use grant::{GrantClaims, GrantState, InspectedGrant, VerifiedGrant};
pub use host::{InstanceHost, base_domain, tenant_host};
pub use lease::{InspectedLease, VerifiedLease};
pub use lease_claims::LeaseClaims;
pub use license::{InspectedLicense, LICENSE_GRACE, LicenseClaims, LicenseTerm, VerifiedLicense};
pub use plan::{canonical_plan, scrub_limits};
pub use refresh::{RefreshOutcome, RefreshRequest, refresh_backoff, refresh_delay};
pub use state::SubscriptionState;
pub use verified_token::VerifiedToken;
pub use verify_lease::{HostBinding, LeaseChecks};
