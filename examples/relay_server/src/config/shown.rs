//! What a relay was started with, for its log: each setting by its name, keys by their fingerprints, no secret.

use std::path::Path;

use pulse_trust::keys::{PublicKey, TrustKeySet};

use super::Config;

impl Config {
    /// The settings in effect, each with the environment variable that sets it.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let tls = self.tls.as_ref();
        let feed = self.revocation_feed.as_ref();
        vec![
            ("PULSE_RELAY_ADDR", self.addr.clone()),
            ("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", fingerprints(&self.keys.lease)),
            ("PULSE_RELAY_PUBLIC_KEY", fingerprints(&self.keys.license)),
            ("PULSE_RELAY_DATA_DIR", self.data_dir.display().to_string()),
            ("PULSE_RELAY_PUBLIC_HOSTS", listed(self.public_hosts.iter().cloned(), "the Host header")),
            ("PULSE_RELAY_TRUSTED_PROXIES", listed(self.trusted_proxies.iter().map(ToString::to_string), "none")),
            ("PULSE_RELAY_DRAIN_TIMEOUT", format!("{:?}", self.drain_timeout)),
            ("PULSE_RELAY_MAX_INSTANCES", self.limits.instance_connections.to_string()),
            ("PULSE_RELAY_MAX_APPS", self.limits.app_connections.to_string()),
            ("PULSE_RELAY_QUEUE_MEMORY", self.limits.process_queued_bytes.to_string()),
            ("PULSE_RELAY_TLS_CERTIFICATE", file(tls.map(|files| files.certificate.as_path()))),
            ("PULSE_RELAY_TLS_KEY", file(tls.map(|files| files.key.as_path()))),
            ("PULSE_RELAY_LICENSE_SERVER_URL", feed.map_or("none", |feed| feed.url()).to_owned()),
            ("PULSE_RELAY_REVOCATION_FEED_TOKEN", feed.map_or("none", |_| "set").to_owned()),
        ]
    }
}

fn file(path: Option<&Path>) -> String {
    path.map_or_else(|| "none".to_owned(), |path| path.display().to_string())
}

fn fingerprints(keys: &TrustKeySet) -> String {
    listed(keys.keys().map(PublicKey::log_fingerprint), "none")
}

fn listed(values: impl Iterator<Item = String>, nothing: &str) -> String {
    let values: Vec<String> = values.collect();
    if values.is_empty() { nothing.to_owned() } else { values.join(", ") }
}
