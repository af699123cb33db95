//! What tokens are held against: keys, host, time.

use clap::Args;
use pulse_trust::entitlement::{HostBinding, InstanceHost, LeaseChecks};
use pulse_trust::keys::{PublicKey, TrustKeySet, TrustKeys};
use pulse_trust::{Error, TokenKind, UnixTime};

use crate::outcome::Stop;
use crate::setting::given;

#[derive(Args)]
pub(crate) struct TrustArgs {
    /// A public key that leases verify under; may be given several times. Without it, PULSE_TRIAL_ACTIVATION_PUBLIC_KEY
    #[arg(long = "lease-key", value_name = "BASE64")]
    lease_keys: Vec<String>,
    /// A public key that licenses and grants verify under; may be given several times. Without it,
    /// PULSE_LICENSE_PUBLIC_KEY
    #[arg(long = "license-key", value_name = "BASE64")]
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
                key_set("--lease-key", &self.lease_keys, TokenKind::Lease)?,
                key_set("--license-key", &self.license_keys, TokenKind::License)?,
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

/// The keys of the flag, each of which may hold several, else those of the runtime's variable.
fn key_set(flag: &'static str, keys: &[String], kind: TokenKind) -> Result<TrustKeySet, Stop> {
    let of_flag = Some(keys.join(",")).filter(|_| !keys.is_empty());
    let Some(given) = given(flag, of_flag.as_deref(), kind.runtime_key_setting())? else {
        return Ok(TrustKeySet::default());
    };
    let keys = given.value.split(',').filter(|key| !key.trim().is_empty()).map(PublicKey::from_base64);
    let keys: Result<Vec<PublicKey>, Error> = keys.collect();
    Ok(TrustKeySet::new(keys.map_err(|error| Stop::bad_argument(given.by, &error))?))
}
