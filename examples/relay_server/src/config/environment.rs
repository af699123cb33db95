//! Settings as texts become a [`Config`].

use std::net::SocketAddr;
use std::str::FromStr;

use ipnet::IpNet;
use pulse_trust::entitlement::InstanceHost;
use pulse_trust::keys::{TableSize, TrustKeySet, TrustKeys};
use pulse_trust::relay::relay_host;

use super::table::{DRAIN_TIMEOUT, TABLE};
use super::{Config, ConfigError, FeedConfig, NatsConfig, Sources, TlsFiles};
use crate::logging::{self, LogFormat};
use crate::revocations::AUTHORITY_SETTING;

pub(super) const ADDR: &str = "127.0.0.1:8080";
pub(super) const DATA_DIR: &str = "/var/lib/pulse-relay";
const HOSTED_KEY: &str = "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY";
pub(super) const HOSTED_KEY_FALLBACK: &str = "PULSE_TRIAL_ACTIVATION_PUBLIC_KEY";
const TLS_CERTIFICATE: &str = "PULSE_RELAY_TLS_CERTIFICATE";
const TLS_KEY: &str = "PULSE_RELAY_TLS_KEY";
const NATS_URL: &str = "PULSE_RELAY_NATS_URL";
const NODE_URL: &str = "PULSE_RELAY_NODE_URL";
const FEED_URL: &str = "PULSE_RELAY_LICENSE_SERVER_URL";
const FEED_TOKEN: &str = "PULSE_RELAY_REVOCATION_FEED_TOKEN";

impl Config {
    /// The settings in the process environment, and in the file that `PULSE_RELAY_CONFIG` names, if it does.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Sources::of_process(None)?.config()
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
        let variable = "PULSE_RELAY_DATA_DIR";
        let data_dir = lookup(variable).unwrap_or_else(|| DATA_DIR.to_owned());
        if data_dir.is_empty() {
            return Err(ConfigError {
                variable,
                reason: format!("expected a directory such as {DATA_DIR}, received \"\""),
            });
        }
        let mut config = Self::on_loopback(TrustKeys::new(lease, license), data_dir);
        config.addr = address(&lookup("PULSE_RELAY_ADDR").unwrap_or_else(|| ADDR.to_owned()))?;
        config.trusted_proxies = list("PULSE_RELAY_TRUSTED_PROXIES", &lookup, network)?;
        config.proxy_protocol = list("PULSE_RELAY_PROXY_PROTOCOL", &lookup, network)?;
        config.public_hosts = list("PULSE_RELAY_PUBLIC_HOSTS", &lookup, public_host)?;
        for setting in TABLE {
            let Some(text) = lookup(setting.variable) else { continue };
            match setting.limit {
                Some(limit) => setting.set(limit, &text, &mut config.limits)?,
                None if setting.variable == DRAIN_TIMEOUT => config.drain_timeout = setting.time(&text)?,
                None => {}
            }
        }
        config.nats = match lookup(NATS_URL) {
            Some(url) => Some(nats(&url, &lookup)?),
            None if lookup(NODE_URL).is_some() => {
                let reason = format!("is of no use without {NATS_URL}: no other node would know of this one");
                return Err(ConfigError { variable: NODE_URL, reason });
            }
            None => None,
        };
        config.admin_addr = lookup("PULSE_RELAY_ADMIN_ADDR").map(|text| admin_address(&text)).transpose()?;
        config.log = lookup("PULSE_RELAY_LOG").unwrap_or_default();
        let variable = "PULSE_RELAY_LOG_FORMAT";
        config.log_format = match lookup(variable).as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                return Err(ConfigError { variable, reason: format!("expected text or json, received {other:?}") });
            }
        };
        logging::check_filter(&config.log).map_err(|reason| ConfigError { variable: "PULSE_RELAY_LOG", reason })?;
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
            None => {
                let given = [FEED_TOKEN, AUTHORITY_SETTING].into_iter().find(|variable| lookup(variable).is_some());
                if let Some(variable) = given {
                    let reason = format!("is of no use without {FEED_URL}: nothing would be revoked");
                    return Err(ConfigError { variable, reason });
                }
                None
            }
            Some(url) => {
                let reason = format!("is needed beside {FEED_URL}");
                let token = lookup(FEED_TOKEN).ok_or(ConfigError { variable: FEED_TOKEN, reason })?;
                if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    let reason = "expected visible ASCII characters, as a header holds them".to_owned();
                    return Err(ConfigError { variable: FEED_TOKEN, reason });
                }
                let feed = FeedConfig::new(&url, &token);
                let feed = feed.map_err(|reason| ConfigError { variable: FEED_URL, reason })?;
                Some(match lookup(AUTHORITY_SETTING) {
                    Some(file) => feed.with_authority(file),
                    None => feed,
                })
            }
        };
        Ok(config)
    }
}

/// The nodes' common server, and where this one is reached.
fn nats(url: &str, lookup: &impl Fn(&'static str) -> Option<String>) -> Result<NatsConfig, ConfigError> {
    let mut nats = NatsConfig::new(url).map_err(|reason| ConfigError { variable: NATS_URL, reason })?;
    if let Some(url) = lookup(NODE_URL) {
        pulse_trust::relay::validate_server_url(&url)
            .map_err(|error| ConfigError { variable: NODE_URL, reason: error.to_string() })?;
        nats.node_url = url;
    }
    let variable = "PULSE_RELAY_NATS_PREFIX";
    if let Some(prefix) = lookup(variable) {
        nats.set_prefix(&prefix).map_err(|reason| ConfigError { variable, reason })?;
    }
    Ok(nats)
}

/// An address that no other machine can reach.
fn admin_address(text: &str) -> Result<SocketAddr, ConfigError> {
    let variable = "PULSE_RELAY_ADMIN_ADDR";
    let reason = || format!("expected a loopback address and a port such as 127.0.0.1:8081, received {text:?}");
    let addr = text.parse().ok().filter(|addr: &SocketAddr| addr.ip().is_loopback());
    addr.ok_or_else(|| ConfigError { variable, reason: reason() })
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
    let Some(text) = lookup(variable) else { return Ok(Vec::new()) };
    let parts = text.split(',').map(str::trim);
    parts
        .map(|part| read(part).ok_or_else(|| ConfigError { variable, reason: format!("{part:?} cannot be read") }))
        .collect()
}

/// A host, with a port if one is written, and no other part of a URL.
fn public_host(text: &str) -> Option<String> {
    let host = relay_host(&format!("wss://{text}")).ok()?;
    let port = host.rsplit_once(':').filter(|(before, _)| !before.contains(':') || before.ends_with(']'));
    let is_port = port.is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
    (is_port && host == text.to_ascii_lowercase() && InstanceHost::normalize(text).is_ok()).then_some(host)
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
    fn a_time_that_is_no_limit_is_read_too() {
        assert_eq!(one("PULSE_RELAY_DRAIN_TIMEOUT", "7s").unwrap().drain_timeout.as_secs(), 7);
        assert_eq!(one("PULSE_RELAY_MAX_APPS", "7").unwrap().drain_timeout.as_secs(), 2);
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        for (variable, value) in [
            ("PULSE_RELAY_ADDR", "relay.example.test:http"),
            ("PULSE_RELAY_PUBLIC_KEY", "x"),
            ("PULSE_RELAY_DRAIN_TIMEOUT", "two"),
            ("PULSE_RELAY_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
            ("PULSE_RELAY_TRUSTED_PROXIES", ","),
            ("PULSE_RELAY_PUBLIC_HOSTS", ","),
            ("PULSE_RELAY_PUBLIC_HOSTS", "https://relay.example.test/"),
            ("PULSE_RELAY_PUBLIC_HOSTS", "a b"),
            ("PULSE_RELAY_PUBLIC_HOSTS", "relay.example.test:abc"),
            ("PULSE_RELAY_PUBLIC_HOSTS", "relay.example.test:99999"),
            ("PULSE_RELAY_PUBLIC_HOSTS", "user@relay.example.test"),
            ("PULSE_RELAY_PROXY_PROTOCOL", "haproxy"),
            ("PULSE_RELAY_PUBLIC_HOSTS", "*"),
            ("PULSE_RELAY_REVOCATION_FEED_TOKEN", "token"),
            ("PULSE_RELAY_LICENSE_SERVER_CA", "ca.pem"),
            ("PULSE_RELAY_MAX_APPS", "0"),
            ("PULSE_RELAY_STALL_TIMEOUT", "0s"),
            ("PULSE_RELAY_QUEUE_MEMORY", "64MB"),
            ("PULSE_RELAY_BYTES_PER_APP", "64MiB"),
            ("PULSE_RELAY_REFUSALS_PER_ADDRESS", "20/s"),
            ("PULSE_RELAY_LOG", "info,pulse_relay=loud"),
            ("PULSE_RELAY_LOG_FORMAT", "xml"),
            ("PULSE_RELAY_ADMIN_ADDR", "0.0.0.0:8081"),
            ("PULSE_RELAY_DATA_DIR", ""),
            ("PULSE_RELAY_NODE_URL", "wss://node-1.example.test/ws/instance"),
        ] {
            assert_eq!(one(variable, value).unwrap_err().variable, variable);
        }
        let hosts = one("PULSE_RELAY_PUBLIC_HOSTS", "Relay.example.test, relay.example.test:8443,[2001:db8::1]:443");
        assert_eq!(hosts.unwrap().public_hosts, ["relay.example.test", "relay.example.test:8443", "[2001:db8::1]:443"]);
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
        assert!(feed("http://127.0.0.1:8090").unwrap().revocation_feed.is_some());
        for bad in [
            "license.example.test",
            "ftp://license.example.test",
            "http://license.example.test",
            "https://user:secret@license.example.test",
            "https://license.example.test/?token=secret",
            "https://",
            "https://a b",
            "http://[::1",
        ] {
            let refused = feed(bad).unwrap_err();
            assert_eq!(refused.variable, FEED_URL, "{bad}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
        for token in ["t\u{f6}k", "tok\nX-Other: 1", "two words"] {
            let refused = Config::from_lookup(|name| match name {
                FEED_URL => Some("https://license.example.test".to_owned()),
                FEED_TOKEN => Some(token.to_owned()),
                _ => None,
            });
            assert_eq!(refused.unwrap_err().variable, FEED_TOKEN);
        }
        assert_eq!(one(FEED_URL, "https://license.example.test").unwrap_err().variable, FEED_TOKEN);
        let shown = format!("{:?}", feed("https://license.example.test").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
