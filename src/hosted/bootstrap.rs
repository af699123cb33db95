//! The bootstrap of a hosted tenant ([formats: hosted bootstrap](crate::_documentation::formats#hosted-bootstrap)).

use super::credential::{CredentialChoice, check_lease, choose, value_with_warnings};
use super::runtime::{DEFAULT_ORG, Runtime, RuntimeMode};
use crate::entitlement::VerifiedLease;
use crate::error::{Error, Result};
use crate::relay::{DEFAULT_SERVER_URL, DisabledBy, Identity, RelayConfig};
use crate::storage::{BillingState, IdentityChange, LockedDataDir};
use crate::time::UnixTime;
use crate::warning::Warning;

/// What happened to the relay config.
///
/// See the example of [`bootstrap`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootstrapOutcome {
    /// The config was made, with a new identity, and saved.
    Bootstrapped,
    /// An enabled config lacked an identity: a new one was made and saved.
    IdentityMade,
    /// The config is as it was.
    Unchanged {
        /// Why; `None` if there was nothing to do.
        reason: Option<Error>,
    },
}

/// What a runtime works with after its start.
///
/// See the example of [`bootstrap`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Bootstrap {
    /// What happened to the relay config.
    pub outcome: BootstrapOutcome,
    /// The relay config in effect: the file's, and the environment over it.
    pub config: RelayConfig,
    /// What to register with.
    pub credential: CredentialChoice,
    /// What the caller should be told about.
    pub warnings: Vec<Warning>,
}

/// Prepares a runtime's directory so that the runtime can register: creates the relay config of a hosted tenant that is
/// entitled to it by its lease and that nobody has configured, gives an enabled config its identity, and picks the
/// credential. Running it again changes nothing. A config that somebody has changed, even if it is disabled, is never
/// overridden.
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::hosted::{BootstrapOutcome, CandidateKind, Runtime, RuntimeMode, bootstrap};
/// # use pulse_trust::hosted::{TenantOrder, issue_billing_state};
/// # use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
/// # use pulse_trust::storage::{BillingState, Revision};
/// use pulse_trust::storage::DataDir;
///
/// # let (directory, now) = (tempfile::tempdir().unwrap(), UnixTime::from_secs(1_774_440_000));
/// # let (path, control_plane) = (directory.path(), SigningKey::generate()?);
/// # let keys = TrustKeys::for_leases(TrustKeySet::new([control_plane.public_key().clone()]));
/// # let order = TenantOrder::new("t-abc", "https://cloud.example.test");
/// # let mut issued = issue_billing_state(&order, BillingState::default(), &control_plane, now)?;
/// let locked = DataDir::new(path).lock()?;
/// # locked.save_billing_state("default", &mut issued.billing, &Revision::ABSENT)?;
/// let started = bootstrap(&locked, &Runtime::new(RuntimeMode::Hosted, keys), now)?;
/// assert!(matches!(started.outcome, BootstrapOutcome::Bootstrapped));
/// assert!(started.config.enabled);
/// let token = started.credential.require_secret_token()?;
/// # Ok::<(), pulse_trust::Error>(())
/// ```
///
/// # Errors
/// If `relay.enc` cannot be read or written; the file is then unchanged, except for [`Error::FileNotDurable`]. A
/// billing state, a license or an activation that cannot be read is not an error of this call: it is a refused
/// candidate, and [`Bootstrap::credential`] says why.
pub fn bootstrap(data_dir: &LockedDataDir, runtime: &Runtime, now: UnixTime) -> Result<Bootstrap> {
    let loaded = data_dir.relay_config()?;
    let (mut config, mut warnings) = (loaded.value, loaded.warnings);
    let billing = value_with_warnings(data_dir.billing_state(DEFAULT_ORG), &mut warnings);
    let mut credential = choose(data_dir.reader(), runtime, &billing, now);
    Warning::add_new(&mut warnings, std::mem::take(&mut credential.warnings));
    let outcome = match plan(&config, &billing, &credential, runtime, now) {
        Plan::Leave(reason) => BootstrapOutcome::Unchanged { reason },
        Plan::FillIn(lease) => {
            fill_in(&mut config, &lease);
            BootstrapOutcome::Bootstrapped
        }
        Plan::MakeIdentity => BootstrapOutcome::IdentityMade,
    };
    runtime.relay_environment.apply(&mut config);
    if !matches!(outcome, BootstrapOutcome::Unchanged { .. }) {
        config.set_identity(&Identity::generate()?);
        // What is replaced is not a complete identity, which is why a new one is made.
        let saved = data_dir.save_relay_config(&config, &loaded.revision, IdentityChange::Keep)?;
        Warning::add_new(&mut warnings, saved.warnings);
    }
    Ok(Bootstrap { outcome, config, credential, warnings })
}

/// What has to be done to a config.
pub(super) enum Plan {
    /// Nothing; why, where something is missing.
    Leave(Option<Error>),
    /// It is made for this lease.
    FillIn(Box<VerifiedLease>),
    /// It gets an identity.
    MakeIdentity,
}

pub(super) fn plan(
    config: &RelayConfig,
    billing: &Result<Option<BillingState>>,
    credential: &CredentialChoice,
    runtime: &Runtime,
    now: UnixTime,
) -> Plan {
    let needs_identity = runtime.relay_environment.enabled_over(config.enabled) && config.lacks_identity();
    if !config.is_untouched() || runtime.mode != RuntimeMode::Hosted {
        return match &credential.blocked {
            _ if !needs_identity => Plan::Leave(None),
            Some(blocked) => Plan::Leave(Some(blocked.clone())),
            None => Plan::MakeIdentity,
        };
    }
    match entitling_lease(billing, credential, runtime, now) {
        Ok(lease) => Plan::FillIn(Box::new(lease)),
        // Enabled by the environment alone, with a credential other than a lease.
        Err(_) if needs_identity && credential.offered().is_some() => Plan::MakeIdentity,
        Err(error) => Plan::Leave(Some(error)),
    }
}

/// The lease that entitles a tenant that nobody has configured, or why there is none.
pub(super) fn entitling_lease(
    billing: &Result<Option<BillingState>>,
    credential: &CredentialChoice,
    runtime: &Runtime,
    now: UnixTime,
) -> Result<VerifiedLease> {
    if let Some(blocked) = &credential.blocked {
        return Err(blocked.clone());
    }
    if runtime.relay_environment.says_disabled() {
        return Err(Error::RelayDisabled { by: DisabledBy::Environment });
    }
    own_lease(billing, runtime, now)
}

/// The lease of the tenant's billing state, if it entitles the tenant to the relay.
pub(super) fn own_lease(
    billing: &Result<Option<BillingState>>,
    runtime: &Runtime,
    now: UnixTime,
) -> Result<VerifiedLease> {
    match billing {
        Ok(Some(BillingState { entitlement_jwt: Some(token), .. })) => check_lease(token.expose_secret(), runtime, now),
        Ok(_) => Err(Error::NoLease),
        Err(error) => Err(error.clone()),
    }
}

fn fill_in(config: &mut RelayConfig, lease: &VerifiedLease) {
    config.enabled = true;
    if config.server_url.trim().is_empty() {
        config.server_url = DEFAULT_SERVER_URL.to_owned();
    }
    config.instance_secret = lease.instance_host().as_str().to_owned().into();
}
