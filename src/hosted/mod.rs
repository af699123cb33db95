//! The bootstrap of a hosted tenant and its registration credential ([formats: hosted
//! bootstrap](crate::_documentation::formats#hosted-bootstrap)), and the control plane's side of it.
//!
//! [`bootstrap()`] is the one call that a runtime makes when it starts: it creates the relay config if a lease entitles
//! the tenant to it and nobody has decided otherwise, and picks the credential to register with. [`readiness()`] says
//! which link of that chain is broken in a directory, and changes nothing.

mod bootstrap;
mod credential;
mod issue;
mod readiness;
mod refresh;
mod resolve;
mod runtime;

pub use bootstrap::{Bootstrap, BootstrapOutcome, bootstrap};
pub use credential::{Candidate, CandidateKind, CredentialChoice, registration_credential};
pub use issue::{IssuedTenant, TenantOrder, issue_billing_state};
pub use readiness::{Link, LinkName, LinkState, Readiness, readiness};
pub use refresh::{RefreshSaved, clear_lost_lease, lease_refresh, save_refreshed_lease};
pub use resolve::{ResolvedBilling, resolve_billing};
pub use runtime::{DEFAULT_ORG, Runtime, RuntimeMode, legacy_key_path_from_process};
