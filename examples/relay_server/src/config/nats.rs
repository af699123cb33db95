//! How several nodes know of each other.

use std::fmt;

/// The NATS server that the nodes share.
#[derive(Clone)]
pub struct NatsConfig {
    secret_url: String,
    shown: String,
    /// Where instances reach this particular node; empty: nobody is sent here.
    pub node_url: String,
    /// What subjects and bucket begin with.
    pub(crate) prefix: String,
}

impl NatsConfig {
    pub(crate) const PREFIX: &str = "pulse_relay";

    /// A server, `nats://…` or `tls://…`. The URL may hold a user and a password.
    ///
    /// # Errors
    /// What was expected of the URL.
    pub fn new(url: &str) -> Result<Self, String> {
        let expected = "expected a URL such as nats://nats.example.com:4222 or tls://…";
        let (scheme, rest) = url.split_once("://").ok_or_else(|| expected.to_owned())?;
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let host = host.strip_suffix('/').unwrap_or(host);
        // Nothing follows the port: a token in a query would not be used, and would be shown.
        let is_host = |character: char| !character.is_whitespace() && !matches!(character, '?' | '#' | '/');
        if !matches!(scheme, "nats" | "tls") || host.is_empty() || !host.chars().all(is_host) {
            return Err(expected.to_owned());
        }
        Ok(Self {
            secret_url: url.to_owned(),
            shown: format!("{scheme}://{host}"),
            node_url: String::new(),
            prefix: Self::PREFIX.to_owned(),
        })
    }

    /// A prefix other than the default.
    ///
    /// # Errors
    /// What was expected of it.
    pub fn set_prefix(&mut self, prefix: &str) -> Result<(), String> {
        let is_usable = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        if prefix.is_empty() || prefix.len() > 64 || !prefix.chars().all(is_usable) {
            return Err(format!("expected at most 64 letters, digits, _ and -, received {prefix:?}"));
        }
        prefix.clone_into(&mut self.prefix);
        Ok(())
    }

    /// The URL without user and password.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "nobody connects"))]
    pub(crate) fn url(&self) -> &str {
        &self.secret_url
    }
}

impl fmt::Debug for NatsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsConfig").field("url", &self.shown).field("node_url", &self.node_url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_url_is_not_shown() {
        let config = NatsConfig::new("nats://relay:secret@nats.example.com:4222").unwrap();
        assert_eq!(config.shown(), "nats://nats.example.com:4222");
        assert!(!format!("{config:?}").contains("secret"));
        for bad in [
            "nats.example.com",
            "http://nats",
            "nats://",
            "nats://user:secret@",
            "nats://nats?token=secret",
            "nats://nats/secret",
        ] {
            assert!(!NatsConfig::new(bad).unwrap_err().contains("secret"), "{bad}");
        }
    }
}
