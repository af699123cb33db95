//! The relay's settings, made in code or from the environment.

mod duration;
mod environment;
mod file;
mod limits;
mod nats;
mod page;
mod rate;
mod setting;
mod shown;
mod sources;
mod table;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use pulse_trust::keys::TrustKeys;

pub use crate::clock::Clock;
use crate::logging::LogFormat;
pub use crate::revocations::FeedConfig;
pub use crate::tls::TlsFiles;
pub use limits::{ByteRate, Limits, Rate};
pub use nats::NatsConfig;
pub use page::{settings_help, settings_page};
pub use sources::Sources;

/// How a relay is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port` to listen on; port 0 takes a free one.
    pub addr: String,
    /// A loopback address where an operator lists and closes connections; `None`: nowhere.
    pub admin_addr: Option<SocketAddr>,
    /// The keys that leases, licenses and grants verify under.
    pub keys: TrustKeys,
    /// Where the session key, the held ids and the revocations are kept.
    pub data_dir: PathBuf,
    /// How long a drain may take.
    pub drain_timeout: Duration,
    /// How this node knows of others; `None`: it is the only one.
    pub nats: Option<NatsConfig>,
    /// The listener's certificate; `None`: no TLS.
    pub tls: Option<TlsFiles>,
    /// Where revocations are read from; `None`: nothing is ever revoked.
    pub revocation_feed: Option<FeedConfig>,
    /// The networks of proxies that are trusted to say where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// The networks of proxies whose connections begin with a PROXY header.
    pub proxy_protocol: Vec<IpNet>,
    /// The host names under which instances reach this relay, with a port if URLs name one. Proofs of identity are
    /// checked against them, or against the `Host` header if there are none.
    pub public_hosts: Vec<String>,
    /// What is logged, in the form of `RUST_LOG`; if empty, `RUST_LOG` itself counts, and without that `info`.
    pub log: String,
    /// The form of the log.
    pub log_format: LogFormat,
    /// The time of day.
    pub clock: Clock,
    /// Limits and times.
    pub limits: Limits,
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The environment variable.
    pub variable: &'static str,
    /// What was expected, and what was received.
    pub reason: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.variable, self.reason)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// A relay on a free loopback port, with these keys and this data directory.
    pub fn on_loopback(keys: TrustKeys, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)).to_string(),
            admin_addr: None,
            keys,
            data_dir: data_dir.into(),
            drain_timeout: Duration::from_secs(2),
            nats: None,
            tls: None,
            revocation_feed: None,
            trusted_proxies: Vec::new(),
            proxy_protocol: Vec::new(),
            public_hosts: Vec::new(),
            log: String::new(),
            log_format: LogFormat::Text,
            clock: Clock::system(),
            limits: Limits::default(),
        }
    }
}
