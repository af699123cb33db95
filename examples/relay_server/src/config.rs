//! The relay's settings, from the environment (FORMATS 14) or made in code.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use pulse_trust::keys::{TableSize, TrustKeySet, TrustKeys};

/// How a relay is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port` to listen on; port 0 takes a free one.
    pub addr: String,
    /// The keys that leases, licenses and grants verify under.
    pub keys: TrustKeys,
    /// Where the session key is kept.
    pub data_dir: PathBuf,
    /// How long a drain may take.
    pub drain_timeout: Duration,
    /// Where revocations are read from, and with which token; `None`: nothing is ever revoked.
    pub revocation_feed: Option<(String, String)>,
    /// Limits and times.
    pub limits: Limits,
}

/// Limits and times, per connection where nothing else is said.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For the handshake, and again for REGISTER or CONNECT.
    pub hello_timeout: Duration,
    /// A connection that says nothing for so long is closed.
    pub silence_timeout: Duration,
    /// How long an identity holds its instance id after its connection ended.
    pub identity_hold: Duration,
    /// Bytes that may wait to be sent.
    pub queued_bytes: usize,
    /// Channels of an instance.
    pub channels_per_instance: usize,
    /// Channels of an app's connection.
    pub channels_per_app: usize,
    /// How long an instance has to accept a channel.
    pub accept_timeout: Duration,
    /// Connections in all.
    pub connections: usize,
    /// How often revocations are read.
    pub revocation_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello_timeout: Duration::from_secs(15),
            silence_timeout: Duration::from_secs(60),
            identity_hold: Duration::from_secs(600),
            queued_bytes: 1024 * 1024,
            channels_per_instance: 64,
            channels_per_app: 8,
            accept_timeout: Duration::from_secs(15),
            connections: 200_000,
            revocation_interval: Duration::from_secs(30),
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The environment variable.
    pub variable: &'static str,
    /// Why not.
    pub reason: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.variable, self.reason)
    }
}

impl std::error::Error for ConfigError {}

const HOSTED_KEY: &str = "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY";
const HOSTED_KEY_FALLBACK: &str = "PULSE_TRIAL_ACTIVATION_PUBLIC_KEY";

impl Config {
    /// A relay on a free loopback port, with these keys and this data directory.
    pub fn on_loopback(keys: TrustKeys, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)).to_string(),
            keys,
            data_dir: data_dir.into(),
            drain_timeout: Duration::from_secs(2),
            revocation_feed: None,
            limits: Limits::default(),
        }
    }

    /// The settings in the process environment.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    /// The settings that `lookup` gives.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn from_lookup(lookup: impl Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        let keys = |variable: &'static str| -> Result<TrustKeySet, ConfigError> {
            TrustKeySet::from_setting(&lookup(variable).unwrap_or_default())
                .map_err(|error| ConfigError { variable, reason: error.to_string() })
        };
        let lease = if lookup(HOSTED_KEY).is_some() { keys(HOSTED_KEY)? } else { keys(HOSTED_KEY_FALLBACK)? };
        // A relay's leases all come under these few keys: their tables are built at the start, and large.
        let lease = lease
            .with_tables(TableSize::Huge)
            .map_err(|error| ConfigError { variable: HOSTED_KEY, reason: error.to_string() })?;
        let trust = TrustKeys { lease, license: keys("PULSE_RELAY_PUBLIC_KEY")? };
        let data_dir = lookup("PULSE_RELAY_DATA_DIR").unwrap_or_else(|| "/var/lib/pulse-relay".to_owned());
        let mut config = Self::on_loopback(trust, data_dir);
        config.addr = lookup("PULSE_RELAY_ADDR").unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        if let Some(text) = lookup("PULSE_RELAY_DRAIN_TIMEOUT") {
            let reason = || format!("expected a duration such as 2s or 1m30s, received {text:?}");
            let variable = "PULSE_RELAY_DRAIN_TIMEOUT";
            config.drain_timeout =
                go_duration(text.trim()).ok_or_else(|| ConfigError { variable, reason: reason() })?;
        }
        config.revocation_feed = match lookup("PULSE_RELAY_LICENSE_SERVER_URL") {
            None => None,
            Some(url) => {
                let variable = "PULSE_RELAY_REVOCATION_FEED_TOKEN";
                let reason = "is needed beside PULSE_RELAY_LICENSE_SERVER_URL".to_owned();
                let token = lookup(variable).ok_or(ConfigError { variable, reason })?;
                Some((url.trim().trim_end_matches('/').to_owned(), token.trim().to_owned()))
            }
        };
        Ok(config)
    }
}

/// A duration as Go writes it: numbers with a unit, one after the other; no sign.
fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, from_unit) = rest.split_at_checked(end)?;
        let end = from_unit.find(|character: char| character.is_ascii_digit() || character == '.');
        let (unit, after) = from_unit.split_at_checked(end.unwrap_or(from_unit.len()))?;
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, milliseconds) in [("2s", 2000), ("1m30s", 90_000), ("500ms", 500), ("1.5h", 5_400_000), ("0", 0)] {
            assert_eq!(go_duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for bad in ["", "2", "s", "-2s", "2 s", "2x", "1..5s"] {
            assert_eq!(go_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_lease_key_falls_back_to_the_name_that_runtimes_carry() {
        let key = "kirJ+GGrL1oDgMcXHqvdzikVGoYAdgyxXTcQtErwrl4=";
        let config = |set: &'static str| {
            Config::from_lookup(|name| (name == set).then(|| format!("{key}, {key}"))).map(|config| config.keys)
        };
        assert!(!config("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY").unwrap().lease.is_empty());
        assert!(!config("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY").unwrap().lease.is_empty());
        assert!(config("PULSE_RELAY_PUBLIC_KEY").unwrap().lease.is_empty());
        let refused = Config::from_lookup(|name| (name == "PULSE_RELAY_PUBLIC_KEY").then(|| "x".to_owned()));
        assert_eq!(refused.unwrap_err().variable, "PULSE_RELAY_PUBLIC_KEY");
    }
}
