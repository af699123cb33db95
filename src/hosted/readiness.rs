//! Which link of the chain from "provisioned" to "can register" is broken. This only looks, and creates nothing.

use core::fmt;

use super::bootstrap::{Plan, entitling_lease, own_lease, plan};
use super::credential::{CandidateKind, CredentialChoice, choose, value_with_warnings};
use super::runtime::{DEFAULT_ORG, Runtime, RuntimeMode};
use crate::error::{Error, Result};
use crate::relay::{DisabledBy, RelayConfig, validate_server_url};
use crate::storage::{BillingState, DataDirReader, Revision};
use crate::time::UnixTime;
use crate::warning::Warning;

/// What was found of one link.
///
/// See the example of [`Readiness`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// It holds; the text says what was seen.
    Holds(String),
    /// It does not exist yet, but [`super::bootstrap()`] will create it; the text says what was seen.
    WillBeMade(String),
    /// It is broken; the error says what to repair.
    Broken(Error),
}

/// Which link it is.
///
/// See the example of [`Readiness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkName {
    /// `activation.enc`, which is a link only if it blocks every credential.
    Activation,
    /// `billing.json` of a hosted tenant.
    BillingState,
    /// The lease in it, where no other credential is offered.
    HostedLease,
    /// `relay.enc`, and the environment over it.
    RelayConfig,
    /// The identity in `relay.enc`.
    Identity,
    /// What the runtime registers with.
    RegistrationCredential,
    /// The secret that a grant or a license is registered with.
    InstanceSecret,
}

impl LinkName {
    /// Its name in a report, such as `relay config`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::BillingState => "billing state",
            Self::HostedLease => "hosted lease",
            Self::RelayConfig => "relay config",
            Self::Identity => "identity",
            Self::RegistrationCredential => "registration credential",
            Self::InstanceSecret => "instance secret",
        }
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One link.
///
/// See the example of [`Readiness`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Which it is.
    pub name: LinkName,
    /// What was found.
    pub state: LinkState,
}

/// The links of a directory, in the order of the journey.
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::hosted::{Runtime, readiness};
/// use pulse_trust::storage::DataDir;
///
/// # let directory = tempfile::tempdir()?;
/// let locked = DataDir::new(directory.path()).lock()?;
/// let found = readiness(locked.reader(), &Runtime::default(), UnixTime::from_secs(1_800_000_000));
/// assert!(found.first_broken().is_some(), "an empty directory registers nowhere");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Readiness {
    /// The links.
    pub links: Vec<Link>,
    /// What the operator should be told about.
    pub warnings: Vec<Warning>,
}

impl Readiness {
    /// The first link that is broken; `None` if the runtime can register.
    pub fn first_broken(&self) -> Option<(LinkName, &Error)> {
        self.links.iter().find_map(|link| match &link.state {
            LinkState::Broken(error) => Some((link.name, error)),
            _ => None,
        })
    }
}

/// Looks at a directory as [`super::bootstrap()`] would, and changes nothing in it.
pub fn readiness(data_dir: &DataDirReader, runtime: &Runtime, now: UnixTime) -> Readiness {
    let mut report = Readiness { links: Vec::new(), warnings: Vec::new() };
    let billing = value_with_warnings(data_dir.billing_state(DEFAULT_ORG), &mut report.warnings);
    let loaded = data_dir.relay_config();
    let is_absent = loaded.as_ref().is_ok_and(|loaded| loaded.revision == Revision::ABSENT);
    let config = value_with_warnings(loaded, &mut report.warnings);
    let mut credential = choose(data_dir, runtime, &billing, now);
    Warning::add_new(&mut report.warnings, std::mem::take(&mut credential.warnings));
    let lease = entitling_lease(&billing, &credential, runtime, now);
    if let Some(blocked) = &credential.blocked {
        report.add(LinkName::Activation, Err(blocked.clone()));
    }
    if runtime.mode == RuntimeMode::Hosted {
        report.add(LinkName::BillingState, billing_link(&billing));
        let needs_lease =
            !matches!(credential.offered(), Some(CandidateKind::ActivationGrant | CandidateKind::License));
        if needs_lease {
            report.add(
                LinkName::HostedLease,
                own_lease(&billing, runtime, now)
                    .map(|lease| LinkState::Holds(format!("for {}", lease.instance_host()))),
            );
        }
    }
    report.add(LinkName::RelayConfig, config_link(&config, is_absent, &lease, &credential, runtime));
    let planned = config.as_ref().map(|config| plan(config, &billing, &credential, runtime, now));
    report.add(LinkName::Identity, identity_link(&config, planned.ok()));
    let offered = credential
        .require_secret_token()
        .map(|_| LinkState::Holds(credential.offered().map_or("", CandidateKind::as_str).to_owned()));
    report.add(LinkName::RegistrationCredential, offered);
    if matches!(credential.offered(), Some(CandidateKind::ActivationGrant | CandidateKind::License)) {
        report.add(LinkName::InstanceSecret, secret_link(&config, &lease, runtime));
    }
    report
}

impl Readiness {
    fn add(&mut self, name: LinkName, state: Result<LinkState>) {
        self.links.push(Link { name, state: state.unwrap_or_else(LinkState::Broken) });
    }
}

fn billing_link(billing: &Result<Option<BillingState>>) -> Result<LinkState> {
    match billing {
        Ok(Some(_)) => Ok(LinkState::Holds("read, and its integrity code, if it has one, matches".to_owned())),
        Ok(None) => Err(Error::FileMissing { path: "billing.json".to_owned() }),
        Err(error) => Err(error.clone()),
    }
}

fn config_link<L>(
    config: &Result<RelayConfig>,
    is_absent: bool,
    lease: &Result<L>,
    credential: &CredentialChoice,
    runtime: &Runtime,
) -> Result<LinkState> {
    let config = config.as_ref().map_err(Clone::clone)?;
    let environment = &runtime.relay_environment;
    if config.is_untouched() && runtime.mode == RuntimeMode::Hosted {
        match lease {
            Ok(_) => {
                let seen = "nobody has configured it, and the lease entitles the tenant to it".to_owned();
                return Ok(LinkState::WillBeMade(seen));
            }
            // Enabled by the environment, with another credential than a lease.
            Err(_) if environment.enabled_over(config.enabled) && credential.offered().is_some() => {}
            Err(error) => return Err(error.clone()),
        }
    }
    if !environment.enabled_over(config.enabled) {
        let by = if environment.says_disabled() {
            DisabledBy::Environment
        } else if is_absent {
            DisabledBy::NoConfig
        } else {
            DisabledBy::Config
        };
        return Err(Error::RelayDisabled { by });
    }
    let server_url = environment.server_url_over(&config.server_url);
    validate_server_url(server_url)?;
    Ok(LinkState::Holds(format!("enabled, {server_url}")))
}

fn identity_link(config: &Result<RelayConfig>, planned: Option<Plan>) -> Result<LinkState> {
    let config = config.as_ref().map_err(Clone::clone)?;
    if !config.lacks_identity() {
        return Ok(LinkState::Holds(config.identity()?.fingerprint()));
    }
    match planned {
        Some(Plan::FillIn(_) | Plan::MakeIdentity) => Ok(LinkState::WillBeMade("there is none yet".to_owned())),
        Some(Plan::Leave(Some(reason))) => Err(reason),
        _ => Err(Error::IdentityInvalid { reason: "there is none, and none is created while the relay is disabled" }),
    }
}

/// The secret that a grant or a license is registered with ([formats: instance
/// ids](crate::_documentation::formats#instance-ids)).
fn secret_link<L>(config: &Result<RelayConfig>, lease: &Result<L>, runtime: &Runtime) -> Result<LinkState> {
    let config = config.as_ref().map_err(Clone::clone)?;
    if !config.instance_secret.expose_secret().trim().is_empty() {
        return Ok(LinkState::Holds("relay.enc holds one".to_owned()));
    }
    if config.is_untouched() && runtime.mode == RuntimeMode::Hosted && lease.is_ok() {
        return Ok(LinkState::WillBeMade("it will be the host of the lease".to_owned()));
    }
    Err(Error::InstanceHintMissing)
}
