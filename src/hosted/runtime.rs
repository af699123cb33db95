//! How a runtime is configured: what the environment of a tenant container provides.

use std::env::VarError;
use std::path::PathBuf;

use crate::entitlement::{HostBinding, LeaseChecks};
use crate::error::{Error, Result};
use crate::keys::{TrustKeySet, TrustKeys};
use crate::relay::RelayEnvironment;
use crate::token_kind::TokenKind;
use crate::warning::Warning;

/// The organization of a hosted tenant.
pub const DEFAULT_ORG: &str = "default";

/// Whether a runtime is a hosted one. Only a hosted one is bootstrapped and offers its lease.
///
/// See the example of [`Runtime`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RuntimeMode {
    /// It is run by its owner.
    #[default]
    SelfHosted,
    /// It is run by Pulse Cloud.
    Hosted,
}

/// How a runtime is configured.
///
/// ```
/// use pulse_trust::hosted::{Runtime, RuntimeMode};
/// use pulse_trust::keys::TrustKeys;
/// let mut runtime = Runtime::new(RuntimeMode::Hosted, TrustKeys::default());
/// runtime.public_url = Some("https://t-abc.cloud.example.test".to_owned());
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Runtime {
    /// Hosted or not.
    pub mode: RuntimeMode,
    /// The URL at which the runtime is reached, whose host the lease must be for; `None` accepts the lease's own host.
    pub public_url: Option<String>,
    /// The keys that leases, licenses and grants verify under.
    pub keys: TrustKeys,
    /// What the environment says about the relay config.
    pub relay_environment: RelayEnvironment,
}

impl Runtime {
    /// A runtime of this mode with these keys.
    pub fn new(mode: RuntimeMode, keys: TrustKeys) -> Self {
        Self { mode, keys, ..Self::default() }
    }

    /// **Reads the process environment**: `PULSE_HOSTED_MODE`, `PULSE_PUBLIC_URL`, `PULSE_TRIAL_ACTIVATION_PUBLIC_KEY`,
    /// `PULSE_LICENSE_PUBLIC_KEY`, and the relay's two. A variable that is not set counts as empty.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] if one is not UTF-8, as ignoring it would check less; [`Error::SettingKeyInvalid`] if
    /// a key is refused.
    pub fn from_process() -> Result<(Self, Vec<Warning>)> {
        let mode = setting("PULSE_HOSTED_MODE")?;
        let hosted = matches!(mode.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on");
        let (relay_environment, warnings) = RelayEnvironment::from_process();
        let runtime = Self {
            mode: if hosted { RuntimeMode::Hosted } else { RuntimeMode::SelfHosted },
            public_url: Some(setting("PULSE_PUBLIC_URL")?.trim().to_owned()).filter(|url| !url.is_empty()),
            keys: TrustKeys::new(
                trust_keys(TokenKind::Lease.runtime_key_setting())?,
                trust_keys(TokenKind::License.runtime_key_setting())?,
            ),
            relay_environment,
        };
        Ok((runtime, warnings))
    }

    /// What this runtime requires of its lease.
    pub fn lease_checks(&self) -> LeaseChecks<'_> {
        self.lease_checks_for(Some(DEFAULT_ORG))
    }

    /// What this runtime requires of the lease of another organization; `None` takes a lease for any.
    pub fn lease_checks_for<'a>(&'a self, org: Option<&'a str>) -> LeaseChecks<'a> {
        let checks = LeaseChecks::new(self.public_url.as_deref().map_or(HostBinding::AnyHost, HostBinding::Require));
        org.map_or(checks, |org| checks.with_org(org))
    }
}

/// **Reads the process environment**: where a key file of older installations is, for
/// [`DataDir::with_legacy_key`](crate::storage::DataDir::with_legacy_key). That is `/etc/pulse/.encryption.key`, or
/// what `PULSE_LEGACY_KEY_PATH` says; an empty value means that there is none.
///
/// # Errors
/// [`Error::SettingInvalid`] if the variable is set to a path that is not absolute.
pub fn legacy_key_path_from_process() -> Result<Option<PathBuf>> {
    const VARIABLE: &str = "PULSE_LEGACY_KEY_PATH";
    match std::env::var_os(VARIABLE).map(PathBuf::from) {
        None => Ok(Some(PathBuf::from("/etc/pulse/.encryption.key"))),
        Some(path) if path.as_os_str().is_empty() => Ok(None),
        Some(path) if path.is_absolute() => Ok(Some(path)),
        Some(_) => Err(Error::SettingInvalid {
            setting: VARIABLE,
            reason: "expected an absolute path, or an empty value for no file",
        }),
    }
}

fn trust_keys(name: &'static str) -> Result<TrustKeySet> {
    TrustKeySet::from_setting(&setting(name)?)
        .map_err(|source| Error::SettingKeyInvalid { setting: name, source: Box::new(source) })
}

fn setting(name: &'static str) -> Result<String> {
    match std::env::var(name) {
        Ok(value) => Ok(value),
        Err(VarError::NotPresent) => Ok(String::new()),
        Err(VarError::NotUnicode(_)) => {
            Err(Error::SettingInvalid { setting: name, reason: "it is set, but not to UTF-8" })
        }
    }
}
