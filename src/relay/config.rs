//! The relay config of a runtime, its validation and its environment
//! ([formats: encrypted-files](crate::_documentation::formats#encrypted-files)).

use core::fmt;
use std::env::VarError;

use serde::de::{Deserializer, MapAccess};
use serde::ser::{SerializeMap, Serializer};

use super::identity::Identity;
use crate::error::{Error, Result, quoted};
use crate::json::{self, Json, ReadJson, WriteJson};
use crate::members::{
    ReadMembers, UnknownMembers, read_object, secret_or_default, secret_or_none, text_or_none, value_or_default,
};
use crate::secret::{Secret, with_wiped_stack};
use crate::url::Url;
use crate::warning::Warning;

/// The relay that a config without a server URL uses.
pub const DEFAULT_SERVER_URL: &str = "wss://relay.pulserelay.pro/ws/instance";

const ENABLED: &str = "PULSE_RELAY_ENABLED";
const SERVER: &str = "PULSE_RELAY_SERVER";

/// A runtime's relay config, as `relay.enc` holds it sealed. Secrets are wiped when it is dropped, and no Debug output
/// shows them.
///
/// ```
/// use pulse_trust::relay::{DEFAULT_SERVER_URL, RelayConfig};
///
/// let config = RelayConfig::default();
/// assert!(!config.enabled && config.is_untouched());
/// assert_eq!(config.server_url, DEFAULT_SERVER_URL);
/// ```
pub struct RelayConfig {
    /// Whether the runtime connects to the relay.
    pub enabled: bool,
    /// The relay's URL for instances.
    pub server_url: String,
    /// **Secret** of a self-hosted instance; the host of a hosted one.
    pub instance_secret: Secret,
    /// **Secret**: the identity's private key, base64 of 64 bytes.
    pub identity_private_key: Option<Secret>,
    /// The identity's public key, base64.
    pub identity_public_key: Option<String>,
    /// The identity's fingerprint.
    pub identity_fingerprint: Option<String>,
    unknown: UnknownMembers,
}

impl RelayConfig {
    /// Reads a config's JSON. A member that is missing or `null` has its default.
    ///
    /// # Errors
    /// [`Error::RelayConfigMalformed`].
    pub fn from_json(text: &str) -> Result<Self> {
        with_wiped_stack(|| json::value_from_text(text))
            .map_err(|error| Error::RelayConfigMalformed { line: error.line(), column: error.column() })
    }

    /// **Secret**: the config's JSON, two-space indented, members in the deployed order.
    pub fn secret_json(&self) -> Secret {
        with_wiped_stack(|| json::indented_text_of(&Json(self)).into())
    }

    /// Whether nobody has configured it: it is not enabled, and secret and identity are empty. A server URL alone does
    /// not count as configured ([formats: hosted-bootstrap](crate::_documentation::formats#hosted-bootstrap)).
    pub fn is_untouched(&self) -> bool {
        !self.enabled && self.has_no_secret_nor_identity()
    }

    /// Whether secret, private key, public key and fingerprint are all empty.
    pub(crate) fn has_no_secret_nor_identity(&self) -> bool {
        self.instance_secret.is_empty() && self.identity_texts().into_iter().all(str::is_empty)
    }

    /// The identity, whose three parts must be present and agree.
    ///
    /// # Errors
    /// As [`Identity::from_parts`].
    pub fn identity(&self) -> Result<Identity> {
        let [private_key, public_key, fingerprint] = self.identity_texts();
        Identity::from_parts(private_key, public_key, fingerprint)
    }

    /// Whether one of the identity's three parts is missing.
    pub fn lacks_identity(&self) -> bool {
        self.identity_texts().into_iter().any(str::is_empty)
    }

    /// Replaces the identity.
    pub fn set_identity(&mut self, identity: &Identity) {
        self.identity_private_key = Some(identity.secret_private_key_base64());
        self.identity_public_key = Some(identity.public_key().to_base64());
        self.identity_fingerprint = Some(identity.fingerprint());
    }

    /// **Secret**: private key, public key and fingerprint; empty where there is none.
    fn identity_texts(&self) -> [&str; 3] {
        [
            Secret::expose_or_empty(self.identity_private_key.as_ref()),
            self.identity_public_key.as_deref().unwrap_or_default(),
            self.identity_fingerprint.as_deref().unwrap_or_default(),
        ]
    }
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            server_url: DEFAULT_SERVER_URL.to_owned(),
            instance_secret: Secret::default(),
            identity_private_key: None,
            identity_public_key: None,
            identity_fingerprint: None,
            unknown: UnknownMembers::default(),
        }
    }
}

/// The URL is left out, as it may contain a password.
impl fmt::Debug for RelayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayConfig")
            .field("enabled", &self.enabled)
            .field("identity_fingerprint", &self.identity_fingerprint)
            .finish_non_exhaustive()
    }
}

impl WriteJson for RelayConfig {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("enabled", &self.enabled)?;
        map.serialize_entry("server_url", &self.server_url)?;
        map.serialize_entry("instance_secret", self.instance_secret.expose_secret())?;
        let names = ["identity_private_key", "identity_public_key", "identity_fingerprint"];
        for (name, value) in names.into_iter().zip(self.identity_texts()) {
            if !value.is_empty() {
                map.serialize_entry(name, value)?;
            }
        }
        self.unknown.write(&mut map)?;
        map.end()
    }
}

impl<'de> ReadJson<'de> for RelayConfig {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_object(deserializer)
    }
}

impl ReadMembers for RelayConfig {
    fn read_member<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "enabled" => self.enabled = value_or_default(map)?,
            "server_url" => {
                if let Some(url) = map.next_value()? {
                    self.server_url = url;
                }
            }
            "instance_secret" => self.instance_secret = secret_or_default(map)?,
            "identity_private_key" => self.identity_private_key = secret_or_none(map)?,
            "identity_public_key" => self.identity_public_key = text_or_none(map)?,
            "identity_fingerprint" => self.identity_fingerprint = text_or_none(map)?,
            _ => self.unknown.take(name, map)?,
        }
        Ok(())
    }
}

/// Whether a URL can be a relay's: `ws` or `wss`, a host, and no user info, query or fragment.
///
/// # Errors
/// [`Error::ServerUrlInvalid`] with the rule that is broken.
pub fn validate_server_url(text: &str) -> Result<()> {
    let refused = |reason| Error::ServerUrlInvalid { reason };
    let url = Url::parse(text).map_err(refused)?;
    if !url.is_websocket() {
        return Err(refused("the scheme is neither ws nor wss"));
    }
    if url.user_info.is_some() {
        return Err(refused("user info is not allowed"));
    }
    // An empty query or fragment counts as none.
    if [url.query, url.fragment].into_iter().flatten().any(|part| !part.is_empty()) {
        return Err(refused("query and fragment are not allowed"));
    }
    url.port_number().map_err(refused)?;
    Ok(())
}

/// What the environment says about the relay config; it overrides the file.
///
/// ```
/// use pulse_trust::relay::{RelayConfig, RelayEnvironment};
///
/// let (environment, warnings) = RelayEnvironment::from_values(Some("yes"), Some("https://not.a.relay"));
/// let mut config = RelayConfig::default();
/// environment.apply(&mut config);
/// assert!(config.enabled);
/// // A server URL that is not valid is ignored, with a warning.
/// assert_eq!(warnings.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelayEnvironment {
    enabled: Option<bool>,
    server_url: Option<String>,
}

impl RelayEnvironment {
    /// Reads the values of `PULSE_RELAY_ENABLED` and `PULSE_RELAY_SERVER`, both trimmed; one that is not valid is
    /// ignored with a warning.
    pub fn from_values(enabled: Option<&str>, server: Option<&str>) -> (Self, Vec<Warning>) {
        let mut environment = Self::default();
        let mut warnings = Vec::new();
        if let Some(value) = enabled.map(str::trim).filter(|value| !value.is_empty()) {
            environment.enabled = match value.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "y" | "on" => Some(true),
                "0" | "false" | "no" | "n" | "off" => Some(false),
                _ => None,
            };
            if environment.enabled.is_none() {
                let reason = format!("expected 1 true yes y on, or 0 false no n off, received {}", quoted(value));
                warnings.push(Warning::EnvironmentIgnored { variable: ENABLED, reason });
            }
        }
        if let Some(url) = server.map(str::trim).filter(|url| !url.is_empty()) {
            match validate_server_url(url) {
                Ok(()) => environment.server_url = Some(url.to_owned()),
                Err(error) => {
                    let reason = error.to_string();
                    warnings.push(Warning::EnvironmentIgnored { variable: SERVER, reason });
                }
            }
        }
        (environment, warnings)
    }

    /// **Reads the process environment**: [`RelayEnvironment::from_values`] of the two variables. One that is not UTF-8
    /// is ignored with a warning.
    pub fn from_process() -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let mut value = |variable| match std::env::var(variable) {
            Ok(value) => Some(value),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(_)) => {
                warnings.push(Warning::EnvironmentIgnored { variable, reason: "expected UTF-8".to_owned() });
                None
            }
        };
        let (enabled, server) = (value(ENABLED), value(SERVER));
        let (environment, ignored) = Self::from_values(enabled.as_deref(), server.as_deref());
        warnings.extend(ignored);
        (environment, warnings)
    }

    /// Applies it to a config.
    pub fn apply(&self, config: &mut RelayConfig) {
        config.enabled = self.enabled_over(config.enabled);
        if let Some(url) = &self.server_url {
            config.server_url.clone_from(url);
        }
    }

    /// Whether the relay is on, where a config says `enabled`.
    pub fn enabled_over(&self, enabled: bool) -> bool {
        self.enabled.unwrap_or(enabled)
    }

    /// The server URL, where a config says `server_url`.
    pub fn server_url_over<'a>(&'a self, server_url: &'a str) -> &'a str {
        self.server_url.as_deref().unwrap_or(server_url)
    }

    /// Whether it says that the relay is off.
    pub fn says_disabled(&self) -> bool {
        self.enabled == Some(false)
    }
}
