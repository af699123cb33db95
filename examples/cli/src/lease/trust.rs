//! What tokens are held against: keys, host, time.

use clap::Args;
use pulse_trust::entitlement::{HostBinding, InstanceHost, LeaseChecks};
use pulse_trust::keys::{PublicKey, TrustKeySet, TrustKeys};
use pulse_trust::{Error, UnixTime};

use crate::outcome::Stop;

#[derive(Args)]
pub(crate) struct TrustArgs {
    /// A public key that leases verify under; may be given several times
    #[arg(long = "lease-key", value_name = "BASE64", env = "PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", value_delimiter = ',')]
    lease_keys: Vec<String>,
    /// A public key that licenses and grants verify under; may be given several times
    #[arg(long = "license-key", value_name = "BASE64", env = "PULSE_LICENSE_PUBLIC_KEY", value_delimiter = ',')]
    license_keys: Vec<String>,
    /// The host that a lease must be for
    #[arg(long)]
    host: Option<String>,
    /// Unix seconds to take for now
    #[arg(long, value_name = "SECONDS")]
    now: Option<i64>,
}

/// What is asked of every token.
pub(crate) struct Asked {
    pub(crate) keys: TrustKeys,
    pub(crate) now: UnixTime,
    host: Option<String>,
}

impl TrustArgs {
    pub(crate) fn asked(&self) -> Result<Asked, Stop> {
        if let Some(host) = &self.host {
            InstanceHost::normalize(host).map_err(|error| Stop::bad_argument("--host", &error))?;
        }
        Ok(Asked {
            keys: TrustKeys::new(
                key_set("--lease-key", &self.lease_keys)?,
                key_set("--license-key", &self.license_keys)?,
            ),
            now: self.now.map_or_else(UnixTime::now, UnixTime::from_secs),
            host: self.host.clone(),
        })
    }
}

impl Asked {
    pub(crate) fn checks(&self) -> LeaseChecks<'_> {
        LeaseChecks::new(self.host.as_deref().map_or(HostBinding::AnyHost, HostBinding::Require))
    }

    pub(crate) fn has_keys(&self) -> bool {
        !(self.keys.lease.is_empty() && self.keys.license.is_empty())
    }
}

fn key_set(argument: &str, keys: &[String]) -> Result<TrustKeySet, Stop> {
    let keys: Result<Vec<PublicKey>, Error> =
        keys.iter().filter(|key| !key.trim().is_empty()).map(|key| PublicKey::from_base64(key)).collect();
    Ok(TrustKeySet::new(keys.map_err(|error| Stop::bad_argument(argument, &error))?))
}
