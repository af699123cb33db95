//! The settings in the process environment, and their help.

use std::str::FromStr;

use ipnet::IpNet;
use pulse_trust::keys::{TableSize, TrustKeySet, TrustKeys};

use super::{Config, ConfigError, FeedConfig, TlsFiles, duration};

const HOSTED_KEY: &str = "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY";
const HOSTED_KEY_FALLBACK: &str = "PULSE_TRIAL_ACTIVATION_PUBLIC_KEY";
const TLS_CERTIFICATE: &str = "PULSE_RELAY_TLS_CERTIFICATE";
const TLS_KEY: &str = "PULSE_RELAY_TLS_KEY";
const FEED_URL: &str = "PULSE_RELAY_LICENSE_SERVER_URL";
const FEED_TOKEN: &str = "PULSE_RELAY_REVOCATION_FEED_TOKEN";

/// The settings, as `--help` shows them.
pub const SETTINGS: &str = "\
Settings, from the environment:
  PULSE_RELAY_ADDR                              host:port to listen on, or :port for every address; port 0 takes a
                                                free one [127.0.0.1:8080]
  PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY     keys that hosted leases verify under, base64, separated by commas;
                                                else PULSE_TRIAL_ACTIVATION_PUBLIC_KEY
  PULSE_RELAY_PUBLIC_KEY                        keys that licenses and grants verify under, the same way
  PULSE_RELAY_DATA_DIR                          where the session key, the held ids and the revocations are kept
                                                [/var/lib/pulse-relay]
  PULSE_RELAY_PUBLIC_HOSTS                      host names, separated by commas and with a port where URLs name one,
                                                under which instances reach the relay [the Host header]
  PULSE_RELAY_TRUSTED_PROXIES                   addresses or networks, separated by commas, of proxies whose
                                                X-Forwarded-For is believed [none]
  PULSE_RELAY_DRAIN_TIMEOUT                     how long a drain may take, such as 2s [2s]
  PULSE_RELAY_MAX_INSTANCES                     WebSocket connections of instances [100000]
  PULSE_RELAY_MAX_APPS                          WebSocket connections of apps [100000]
  PULSE_RELAY_QUEUE_MEMORY                      bytes of waiting and of unfinished frames, over all connections [268435456]
  PULSE_RELAY_TLS_CERTIFICATE                   the listener's certificate and those between it and a root, a file in
                                                PEM that is read again when it changes [none: no TLS]; with
  PULSE_RELAY_TLS_KEY                           its private key, a file in PEM
  PULSE_RELAY_LICENSE_SERVER_URL                where revocations are read from, https://...; with
  PULSE_RELAY_REVOCATION_FEED_TOKEN             its bearer token
  PULSE_RELAY_LOG_FORMAT                        text or json, to standard error [text]
  RUST_LOG                                      what is logged [info]";

impl Config {
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
        let lookup = |name| lookup(name).map(|value| value.trim().to_owned());
        let hosted = if lookup(HOSTED_KEY).is_some() { HOSTED_KEY } else { HOSTED_KEY_FALLBACK };
        // A relay's leases all come under these few keys: their tables are built at the start, and large.
        let lease = keys(hosted, lookup(hosted))?
            .with_tables(TableSize::Huge)
            .map_err(|error| ConfigError { variable: hosted, reason: error.to_string() })?;
        let license = keys("PULSE_RELAY_PUBLIC_KEY", lookup("PULSE_RELAY_PUBLIC_KEY"))?;
        let data_dir = lookup("PULSE_RELAY_DATA_DIR").unwrap_or_else(|| "/var/lib/pulse-relay".to_owned());
        let mut config = Self::on_loopback(TrustKeys::new(lease, license), data_dir);
        config.addr = address(&lookup("PULSE_RELAY_ADDR").unwrap_or_else(|| "127.0.0.1:8080".to_owned()))?;
        let variable = "PULSE_RELAY_DRAIN_TIMEOUT";
        if let Some(text) = lookup(variable) {
            let reason = || format!("expected a duration such as 2s or 1m30s, received {text:?}");
            config.drain_timeout = duration::parse(&text).ok_or_else(|| ConfigError { variable, reason: reason() })?;
        }
        config.trusted_proxies = list("PULSE_RELAY_TRUSTED_PROXIES", &lookup, network)?;
        config.public_hosts = list("PULSE_RELAY_PUBLIC_HOSTS", &lookup, |text| Some(text.to_ascii_lowercase()))?;
        let limits = &mut config.limits;
        for (variable, limit) in [
            ("PULSE_RELAY_MAX_INSTANCES", &mut limits.instance_connections),
            ("PULSE_RELAY_MAX_APPS", &mut limits.app_connections),
            ("PULSE_RELAY_QUEUE_MEMORY", &mut limits.process_queued_bytes),
        ] {
            if let Some(text) = lookup(variable) {
                let reason = || format!("expected a whole number above 0, received {text:?}");
                let number = text.parse().ok().filter(|number| *number > 0);
                *limit = number.ok_or_else(|| ConfigError { variable, reason: reason() })?;
            }
        }
        config.tls = match (lookup(TLS_CERTIFICATE), lookup(TLS_KEY)) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate: certificate.into(), key: key.into() }),
            (has_certificate, _) => {
                let (missing, there) =
                    if has_certificate.is_some() { (TLS_KEY, TLS_CERTIFICATE) } else { (TLS_CERTIFICATE, TLS_KEY) };
                return Err(ConfigError { variable: missing, reason: format!("is needed beside {there}") });
            }
        };
        config.revocation_feed = match lookup(FEED_URL) {
            None => None,
            Some(url) => {
                let reason = format!("is needed beside {FEED_URL}");
                let token = lookup(FEED_TOKEN).ok_or(ConfigError { variable: FEED_TOKEN, reason })?;
                Some(FeedConfig::new(&url, &token).map_err(|reason| ConfigError { variable: FEED_URL, reason })?)
            }
        };
        Ok(config)
    }
}

/// `host:port`; without a host, as in `:8080`, every IPv4 address of the machine.
fn address(text: &str) -> Result<String, ConfigError> {
    let refused = || ConfigError {
        variable: "PULSE_RELAY_ADDR",
        reason: format!("expected host:port such as 127.0.0.1:8080, or :8080 for every address, received {text:?}"),
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
    port.parse::<u16>().map_err(|_| refused())?;
    Ok(if host.is_empty() { format!("0.0.0.0{text}") } else { text.to_owned() })
}

fn keys(variable: &'static str, text: Option<String>) -> Result<TrustKeySet, ConfigError> {
    TrustKeySet::from_setting(&text.unwrap_or_default())
        .map_err(|error| ConfigError { variable, reason: error.to_string() })
}

fn list<T>(
    variable: &'static str,
    lookup: &impl Fn(&'static str) -> Option<String>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, ConfigError> {
    let text = lookup(variable).unwrap_or_default();
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| read(part).ok_or_else(|| ConfigError { variable, reason: format!("{part:?} cannot be read") }))
        .collect()
}

/// A network, or an address alone.
fn network(text: &str) -> Option<IpNet> {
    IpNet::from_str(text).or_else(|_| text.parse().map(|address: std::net::IpAddr| address.into())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "kirJ+GGrL1oDgMcXHqvdzikVGoYAdgyxXTcQtErwrl4=";

    fn one(variable: &'static str, value: &str) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| (name == variable).then(|| value.to_owned()))
    }

    #[test]
    fn the_lease_key_falls_back_to_the_name_that_runtimes_carry() {
        let keys = |variable| one(variable, &format!("{KEY}, {KEY}")).map(|config| config.keys);
        assert!(!keys("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY").unwrap().lease.is_empty());
        assert!(!keys("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY").unwrap().lease.is_empty());
        assert!(keys("PULSE_RELAY_PUBLIC_KEY").unwrap().lease.is_empty());
    }

    #[test]
    fn a_port_alone_is_every_address() {
        let addr = |value| one("PULSE_RELAY_ADDR", value).map(|config| config.addr);
        assert_eq!(addr(":8080").unwrap(), "0.0.0.0:8080");
        assert_eq!(addr("[::1]:0").unwrap(), "[::1]:0");
        let refused = addr("8080").unwrap_err();
        assert!(refused.variable == "PULSE_RELAY_ADDR" && refused.reason.contains("\"8080\""), "{refused}");
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        for (variable, value) in [
            ("PULSE_RELAY_ADDR", "relay.example.test:http"),
            ("PULSE_RELAY_PUBLIC_KEY", "x"),
            ("PULSE_RELAY_DRAIN_TIMEOUT", "two"),
            ("PULSE_RELAY_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
            ("PULSE_RELAY_MAX_APPS", "0"),
        ] {
            assert_eq!(one(variable, value).unwrap_err().variable, variable);
        }
        let proxies = one("PULSE_RELAY_TRUSTED_PROXIES", "10.0.0.0/8, ::1").unwrap().trusted_proxies;
        assert_eq!(proxies, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse::<IpNet>().unwrap()]);
    }

    #[test]
    fn a_certificate_needs_its_key() {
        assert_eq!(one(TLS_CERTIFICATE, "relay.pem").unwrap_err().variable, TLS_KEY);
        assert_eq!(one(TLS_KEY, "relay.key").unwrap_err().variable, TLS_CERTIFICATE);
    }

    #[test]
    fn a_feed_needs_a_url_that_can_be_read_and_a_token() {
        let feed = |url: &str| {
            Config::from_lookup(|name| match name {
                FEED_URL => Some(url.to_owned()),
                FEED_TOKEN => Some("secret".to_owned()),
                _ => None,
            })
        };
        assert!(feed("https://license.example.test/").unwrap().revocation_feed.is_some());
        for bad in ["license.example.test", "ftp://license.example.test", "https://", "https://a b", "http://[::1"] {
            assert_eq!(feed(bad).unwrap_err().variable, FEED_URL, "{bad}");
        }
        assert_eq!(one(FEED_URL, "https://license.example.test").unwrap_err().variable, FEED_TOKEN);
        let shown = format!("{:?}", feed("https://license.example.test").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
