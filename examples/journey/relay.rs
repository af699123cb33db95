//! The relay in use: one of this program, or one that is reached at an address.

use std::net::{IpAddr, TcpListener, ToSocketAddrs};
use std::time::Duration;

use pulse_relay::{Config, Relay};
use pulse_trust::keys::{PublicKey, TrustKeySet, TrustKeys};
use pulse_trust::pairing::relay_url_normal_form;
use serde_json::Value;

use crate::Args;
use crate::failure::Failure;
use crate::tenant::Tenant;

/// For each question over HTTP.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The relay in use, and the one that was started here.
pub(crate) struct RelayInUse {
    pub(crate) url: String,
    /// What its host's name leads to.
    pub(crate) addresses: Vec<IpAddr>,
    /// The lease keys that it says it trusts; `None` where it does not say.
    pub(crate) lease_keys: Option<Vec<String>>,
    own: Option<(Relay, tempfile::TempDir)>,
}

/// The two metrics of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Metrics {
    pub(crate) instance_connections: i64,
    pub(crate) app_sessions: i64,
}

impl RelayInUse {
    /// The relay of the arguments, else one of this program with the tenant's keys.
    pub(crate) async fn start(args: &Args, tenant: &Tenant) -> Result<(Self, String), Failure> {
        let mut relay = match &args.relay {
            None => Self::own(tenant.runtime.keys.clone()).await?,
            Some(url) => {
                pulse_trust::relay::validate_server_url(url)?;
                Self { url: url.clone(), addresses: Vec::new(), lease_keys: None, own: None }
            }
        };
        relay.addresses = addresses(&relay.url)?;
        let health = relay.get("/healthz").await.ok_or_else(|| {
            Failure::new(format!(
                "{} does not answer: is the relay running, and is this its address?",
                relay.http("/healthz")
            ))
        })?;
        relay.lease_keys = listed(&health, "lease_keys");
        let keys = match &relay.lease_keys {
            Some(keys) if keys.is_empty() => "trusts no lease key".to_owned(),
            Some(keys) => format!("trusts lease keys [{}]", keys.join(", ")),
            None => "does not say which keys it trusts".to_owned(),
        };
        let seen = format!("{} at {}: {keys}", if relay.is_own() { "started" } else { "uses the relay" }, relay.url);
        Ok((relay, seen))
    }

    pub(crate) async fn own(keys: TrustKeys) -> Result<Self, Failure> {
        let directory = tempfile::tempdir().map_err(Failure::from_error)?;
        let relay = Relay::start(Config::on_loopback(keys, directory.path())).await.map_err(Failure::from_error)?;
        let url = format!("ws://{}/ws/instance", relay.local_addr());
        Ok(Self { url, addresses: Vec::new(), lease_keys: None, own: Some((relay, directory)) })
    }

    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Whether every address of it is of another machine.
    pub(crate) fn is_elsewhere(&self) -> bool {
        !self.addresses.is_empty() && !self.addresses.iter().copied().any(is_this_machine)
    }

    /// The metrics; `None` where the relay shows none.
    pub(crate) async fn metrics(&self) -> Option<Metrics> {
        let text = self.get("/metrics").await?;
        let value = |name: &str| -> Option<i64> {
            let line = text.lines().find(|line| line.split(' ').next() == Some(name))?;
            line.rsplit(' ').next()?.parse().ok()
        };
        Some(Metrics {
            instance_connections: value("pulse_relay_instance_connections")?,
            app_sessions: value("pulse_relay_app_sessions")?,
        })
    }

    pub(crate) async fn stop(self) {
        if let Some((relay, _)) = self.own {
            relay.drain().await;
        }
    }

    /// What it answers with 200; `None` for all else.
    async fn get(&self, path: &str) -> Option<String> {
        let url = self.http(path);
        let asked = tokio::task::spawn_blocking(move || {
            let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build();
            ureq::Agent::new_with_config(config).get(&url).call().ok()?.body_mut().read_to_string().ok()
        });
        asked.await.ok()?
    }

    fn http(&self, path: &str) -> String {
        let url = relay_url_normal_form(&self.url).unwrap_or_else(|| self.url.clone());
        let base = url.strip_suffix("/ws/instance").unwrap_or(&url).replacen("ws", "http", 1);
        format!("{base}{path}")
    }
}

/// The fingerprints of a tenant's keys.
pub(crate) fn fingerprints(keys: &TrustKeySet) -> String {
    let fingerprints: Vec<String> = keys.keys().map(PublicKey::log_fingerprint).collect();
    if fingerprints.is_empty() { "none".to_owned() } else { fingerprints.join(", ") }
}

fn listed(health: &str, member: &str) -> Option<Vec<String>> {
    let health: Value = serde_json::from_str(health).ok()?;
    Some(health.get(member)?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// What the host of a URL leads to, by the machine's own resolver.
fn addresses(url: &str) -> Result<Vec<IpAddr>, Failure> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let host_and_port = if has_port { authority.to_owned() } else { format!("{authority}:443") };
    let resolved = host_and_port
        .to_socket_addrs()
        .map_err(|error| Failure::new(format!("the relay's host {authority} cannot be resolved: {error}")))?;
    let mut addresses: Vec<IpAddr> = resolved.map(|address| address.ip()).collect();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

/// Whether an address is of this machine: only then can a socket be bound to it. That holds for 0.0.0.0 and `::` too.
fn is_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || TcpListener::bind((address, 0)).is_ok()
}
