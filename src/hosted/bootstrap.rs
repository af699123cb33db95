//! The bootstrap of a hosted tenant (FORMATS 9).

use super::credential::{CredentialChoice, check_lease, choose};
use super::runtime::{DEFAULT_ORG, Runtime, RuntimeMode};
use crate::entitlement::VerifiedLease;
use crate::error::{Error, Result};
use crate::relay::{DEFAULT_SERVER_URL, Identity, RelayConfig};
use crate::storage::{BillingState, LockedDataDir};
use crate::time::UnixTime;
use crate::warning::Warning;

/// What became of the relay config.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootstrapOutcome {
    /// The config was made, with a new identity, and saved.
    Bootstrapped,
    /// An enabled config lacked an identity: a new one was made and saved.
    IdentityMade,
    /// The config is as it was; `reason` says why it was not made, where it could have been.
    Unchanged {
        /// Why a config that nobody has touched was not made.
        reason: Option<Error>,
    },
}

/// What a runtime works with after its start.
#[derive(Debug)]
#[non_exhaustive]
pub struct Bootstrap {
    /// What became of the relay config.
    pub outcome: BootstrapOutcome,
    /// The relay config in effect: the file's, and the environment over it.
    pub config: RelayConfig,
    /// What to register with.
    pub credential: CredentialChoice,
    /// What the caller should hear of.
    pub warnings: Vec<Warning>,
}

/// Brings a runtime's directory to the point where it can register: makes the relay config of a hosted tenant whose
/// lease entitles it and whose config nobody has touched, gives an enabled config its identity, and picks the
/// credential. Run again it changes nothing. A config that was touched, disabled too, is never overridden.
///
/// # Errors
/// Where `relay.enc` cannot be read or written; the file is as it was then. A billing state or an activation that
/// cannot be read is no error: it is a candidate that was refused, and the outcome says why.
pub fn bootstrap(data_dir: &LockedDataDir, runtime: &Runtime, now: UnixTime) -> Result<Bootstrap> {
    let loaded = data_dir.relay_config()?;
    let (mut config, mut warnings) = (loaded.value, loaded.warnings);
    let billing = data_dir.billing_state(DEFAULT_ORG).map(|loaded| {
        warnings.extend(loaded.warnings);
        loaded.value
    });
    let credential = choose(data_dir, runtime, &billing, now);
    let outcome = if config.is_untouched() && runtime.mode == RuntimeMode::Hosted {
        match entitling_lease(&billing, &credential, runtime, now) {
            Ok(lease) => {
                fill_in(&mut config, &lease, runtime)?;
                warnings.extend(data_dir.save_relay_config(&config)?);
                BootstrapOutcome::Bootstrapped
            }
            Err(error) => BootstrapOutcome::Unchanged { reason: Some(error) },
        }
    } else if runtime.relay_environment.enabled_over(config.enabled) && config.lacks_identity() {
        config.set_identity(&Identity::generate()?);
        warnings.extend(data_dir.save_relay_config(&config)?);
        BootstrapOutcome::IdentityMade
    } else {
        BootstrapOutcome::Unchanged { reason: None }
    };
    runtime.relay_environment.apply(&mut config);
    Ok(Bootstrap { outcome, config, credential, warnings })
}

/// The lease that entitles a tenant whose config nobody has touched, or why there is none.
pub(super) fn entitling_lease(
    billing: &Result<Option<BillingState>>,
    credential: &CredentialChoice,
    runtime: &Runtime,
    now: UnixTime,
) -> Result<VerifiedLease> {
    if credential.is_suspended {
        return Err(Error::ActivationSuspended);
    }
    if runtime.relay_environment.says_disabled() {
        return Err(Error::RelayDisabled { by: "PULSE_RELAY_ENABLED" });
    }
    match billing {
        Ok(Some(state)) if !state.entitlement_jwt.is_empty() => check_lease(&state.entitlement_jwt, runtime, now),
        Ok(_) => Err(Error::NoLease),
        Err(error) => Err(error.clone()),
    }
}

fn fill_in(config: &mut RelayConfig, lease: &VerifiedLease, runtime: &Runtime) -> Result<()> {
    config.enabled = true;
    if config.server_url.trim().is_empty() {
        config.server_url = DEFAULT_SERVER_URL.to_owned();
    }
    config.instance_secret = lease.instance_host().as_str().to_owned().into();
    config.set_identity(&Identity::generate()?);
    runtime.relay_environment.apply(config);
    Ok(())
}
