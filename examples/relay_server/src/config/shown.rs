//! What a relay runs with, for its log and for `--check-config`: each setting with its name, keys as fingerprints, and no
//! secret.

use std::path::Path;

use pulse_trust::keys::{PublicKey, TrustKeySet, TrustKeys};

use super::limits::Limits;
use super::setting::{Limit, Setting};
use super::table::TABLE;
use super::{Config, NatsConfig, duration, rate};
use crate::logging::LogFormat;
use crate::revocations::AUTHORITY_SETTING;

impl Config {
    /// Its settings, each with the environment variable that sets it.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        TABLE.iter().map(|setting| (setting.variable, self.shown(setting))).collect()
    }

    /// The settings of a relay for which nothing was set, in the table's order.
    pub(super) fn default_settings() -> Vec<String> {
        let mut config = Self::on_loopback(TrustKeys::default(), super::environment::DATA_DIR);
        super::environment::ADDR.clone_into(&mut config.addr);
        TABLE.iter().map(|setting| config.shown(setting)).collect()
    }

    /// The settings in effect in a relay that started with others; some change only with a restart.
    pub(crate) fn in_effect(&self, at_start: &Self) -> Vec<(&'static str, String)> {
        let shown = |setting: &Setting| if setting.is_reloaded { self.shown(setting) } else { at_start.shown(setting) };
        TABLE.iter().map(|setting| (setting.variable, shown(setting))).collect()
    }

    /// The settings that differ from another configuration's and take effect only with a restart.
    pub(crate) fn needing_restart(&self, other: &Self) -> Vec<&'static str> {
        let fixed = TABLE.iter().filter(|setting| !setting.is_reloaded);
        fixed.filter(|setting| self.shown(setting) != other.shown(setting)).map(|setting| setting.variable).collect()
    }

    fn shown(&self, setting: &Setting) -> String {
        if let Some(limit) = setting.limit {
            return shown_limit(limit, &mut self.limits.clone());
        }
        let (feed, tls, nats) = (self.revocation_feed.as_ref(), self.tls.as_ref(), self.nats.as_ref());
        match setting.variable {
            "PULSE_RELAY_ADDR" => self.addr.clone(),
            "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY" => fingerprints(&self.keys.lease),
            "PULSE_RELAY_PUBLIC_KEY" => fingerprints(&self.keys.license),
            "PULSE_RELAY_DATA_DIR" => self.data_dir.display().to_string(),
            "PULSE_RELAY_PUBLIC_HOSTS" => listed(self.public_hosts.iter().cloned(), "the Host header"),
            "PULSE_RELAY_TRUSTED_PROXIES" => listed(self.trusted_proxies.iter().map(ToString::to_string), "none"),
            "PULSE_RELAY_PROXY_PROTOCOL" => listed(self.proxy_protocol.iter().map(ToString::to_string), "none"),
            "PULSE_RELAY_DRAIN_TIMEOUT" => duration::show(self.drain_timeout),
            "PULSE_RELAY_TLS_CERTIFICATE" => file(tls.map(|files| files.certificate.as_path())),
            "PULSE_RELAY_TLS_KEY" => file(tls.map(|files| files.key.as_path())),
            "PULSE_RELAY_ADMIN_ADDR" => self.admin_addr.map_or_else(|| "none".to_owned(), |addr| addr.to_string()),
            "PULSE_RELAY_LICENSE_SERVER_URL" => feed.map_or("none", |feed| feed.url()).to_owned(),
            AUTHORITY_SETTING => file(feed.and_then(|feed| feed.authority())),
            "PULSE_RELAY_REVOCATION_FEED_TOKEN" => feed.map_or("none", |_| "set").to_owned(),
            "PULSE_RELAY_NATS_URL" => nats.map_or_else(|| "none".to_owned(), |nats| nats.shown().to_owned()),
            "PULSE_RELAY_NODE_URL" => match nats.map(|nats| nats.node_url.as_str()) {
                None | Some("") => "none".to_owned(),
                Some(url) => url.to_owned(),
            },
            "PULSE_RELAY_NATS_PREFIX" => nats.map_or(NatsConfig::PREFIX, |nats| &nats.prefix).to_owned(),
            "PULSE_RELAY_LOG" if self.log.is_empty() => "info".to_owned(),
            "PULSE_RELAY_LOG" => self.log.clone(),
            "PULSE_RELAY_LOG_FORMAT" => if self.log_format == LogFormat::Json { "json" } else { "text" }.to_owned(),
            _ => String::new(),
        }
    }
}

fn shown_limit(limit: Limit, limits: &mut Limits) -> String {
    match limit {
        Limit::Count(of) => of(limits).to_string(),
        Limit::Bytes(of) => rate::show_bytes(u64::try_from(*of(limits)).unwrap_or(u64::MAX)),
        Limit::Time(of) => duration::show(*of(limits)),
        Limit::Rate(of) => rate::show_rate(*of(limits)),
        Limit::ByteRate(of) => rate::show_byte_rate(*of(limits)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_the_table_is_shown_and_read_back_where_it_is_a_limit() {
        let shown = Config::default_settings();
        for (setting, value) in TABLE.iter().zip(&shown) {
            assert!(!value.is_empty(), "{} is not shown", setting.variable);
            assert!(setting.limit.is_none() || !setting.reason.is_empty(), "{}: why?", setting.variable);
        }
        // What is shown is what is read.
        let defaults = |name: &'static str| {
            let (setting, value) = TABLE.iter().zip(&shown).find(|(setting, _)| setting.variable == name)?;
            setting.limit.map(|_| value.clone())
        };
        let config = Config::from_lookup(defaults).unwrap();
        let limits = TABLE.iter().filter(|setting| setting.limit.is_some());
        for setting in limits {
            let (_, value) = config.settings().into_iter().find(|(name, _)| *name == setting.variable).unwrap();
            assert_eq!(Some(value), defaults(setting.variable), "{}", setting.variable);
        }
    }
}
