//! The phone's side: reading a scanned code.

use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::deep_link;
use super::local_host::is_local;
use super::onboarding::ONBOARDING_SCHEMA;
use super::relay_url::relay_url_normal_form;
use crate::error::{Error, Result};
use crate::keys::PublicKey;
use crate::url::Url;

/// The longest code that is read, in bytes: more than any QR code holds.
pub const MAX_CODE_LEN: usize = 4096;

/// The keys of a code, in the order of the deep link. A JSON payload has the last but one of `relay`'s under other names.
const KEYS: [&str; 8] = [
    "auth_token",
    "identity_fingerprint",
    "identity_public_key",
    "instance_id",
    "instance_url",
    "name",
    "relay_url",
    "schema",
];

/// A scanned code whose form was checked. Whether to believe it is another question: see [`crate::pairing`].
///
/// ```
/// use pulse_trust::pairing::PairingCode;
/// let scanned = "pulse://connect?auth_token=tok-1&instance_id=relay_2e1b0929e6fd7c52\
///                &relay_url=wss%3A%2F%2Frelay.example.test%2Fws%2Fapp&schema=pulse-mobile-onboarding-v1";
/// let code = PairingCode::parse(scanned)?;
/// assert_eq!(code.instance_id(), "relay_2e1b0929e6fd7c52");
/// assert!(code.require_identity().is_err()); // nothing to authenticate the instance by
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub struct PairingCode {
    auth_token: Zeroizing<String>,
    instance_id: String,
    relay_url: String,
    identity: Option<PublicKey>,
    instance_url: Option<String>,
    name: Option<String>,
}

impl PairingCode {
    /// Reads a scanned text: a deep link, or the payload's JSON. White space around it is trimmed; keys that we do not
    /// know are left out.
    ///
    /// # Errors
    /// [`Error::PairingTooLarge`], [`Error::PairingMalformed`], [`Error::PairingDuplicate`], [`Error::PairingSchema`],
    /// [`Error::PairingMissing`], [`Error::PairingInsecureUrl`], [`Error::FingerprintMismatch`], and those of
    /// [`PublicKey::from_base64`].
    pub fn parse(scanned: &str) -> Result<Self> {
        if scanned.len() > MAX_CODE_LEN {
            return Err(Error::PairingTooLarge { limit: MAX_CODE_LEN, received: scanned.len() });
        }
        let scanned = scanned.trim();
        let fields = if scanned.starts_with('{') { read_json(scanned)? } else { read_link(scanned)? };
        Self::from_fields(fields)
    }

    /// The instance.
    pub fn instance_id(&self) -> &str {
        &self.instance_id
    }

    /// The relay, in its normal form.
    pub fn relay_url(&self) -> &str {
        &self.relay_url
    }

    /// **Secret**: what the instance knows the phone by.
    pub fn secret_auth_token(&self) -> &str {
        &self.auth_token
    }

    /// The instance's identity, where the code has one.
    pub fn identity(&self) -> Option<&PublicKey> {
        self.identity.as_ref()
    }

    /// The instance's identity, which the channel needs.
    ///
    /// # Errors
    /// [`Error::PairingNoIdentity`].
    pub fn require_identity(&self) -> Result<&PublicKey> {
        self.identity.as_ref().ok_or(Error::PairingNoIdentity)
    }

    /// The instance's own URL, an `https` one.
    pub fn instance_url(&self) -> Option<&str> {
        self.instance_url.as_deref()
    }

    /// How the instance calls itself.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn from_fields(mut fields: Fields) -> Result<Self> {
        let schema = fields.take("schema").unwrap_or_default();
        if schema != ONBOARDING_SCHEMA {
            return Err(Error::PairingSchema { expected: ONBOARDING_SCHEMA, received: schema });
        }
        let auth_token = Zeroizing::new(fields.require("auth_token")?);
        let instance_id = fields.require("instance_id")?;
        let relay_url = check_relay_url(&fields.require("relay_url")?)?;
        let identity = fields.take("identity_public_key").map(|key| PublicKey::from_base64(&key)).transpose()?;
        if let Some(expected) = fields.take("identity_fingerprint") {
            let received =
                identity.as_ref().map_or_else(|| "none, as there is no key".to_owned(), PublicKey::fingerprint);
            if expected != received {
                return Err(Error::FingerprintMismatch { expected, received });
            }
        }
        let instance_url = fields.take("instance_url").map(check_instance_url).transpose()?;
        Ok(Self { auth_token, instance_id, relay_url, identity, instance_url, name: fields.take("name") })
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingCode")
            .field("instance_id", &self.instance_id)
            .field("relay_url", &self.relay_url)
            .field("identity", &self.identity)
            .field("instance_url", &self.instance_url)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The values of the keys we know, each once.
#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn add(&mut self, key: &str, value: String) -> Result<()> {
        let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
            return Ok(());
        };
        if self.0.iter().any(|(seen, _)| *seen == key) {
            return Err(Error::PairingDuplicate { key });
        }
        if value.chars().any(char::is_control) {
            return Err(Error::PairingMalformed { reason: "a value holds a control character" });
        }
        self.0.push((key, value));
        Ok(())
    }

    /// The value of a key; empty is none.
    fn take(&mut self, key: &'static str) -> Option<String> {
        let (_, value) = self.0.iter_mut().find(|(seen, _)| *seen == key)?;
        Some(core::mem::take(value).trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn require(&mut self, key: &'static str) -> Result<String> {
        self.take(key).ok_or(Error::PairingMissing { key })
    }
}

fn read_link(scanned: &str) -> Result<Fields> {
    let query = scanned
        .strip_prefix(deep_link::PREFIX)
        .ok_or(Error::PairingMalformed { reason: "expected pulse://connect? or a JSON object" })?;
    let mut fields = Fields::default();
    let mut unknown: Vec<String> = Vec::new();
    for (key, value) in deep_link::read(query)? {
        if !KEYS.contains(&key.as_str()) {
            if unknown.contains(&key) {
                return Err(Error::PairingDuplicate { key: "a key that is not known" });
            }
            unknown.push(key);
            continue;
        }
        fields.add(&key, value)?;
    }
    Ok(fields)
}

fn read_json(scanned: &str) -> Result<Fields> {
    let json: JsonCode = serde_json::from_str(scanned).map_err(|_| Error::PairingMalformed {
        reason: "not the JSON object of a pairing code, or a key stands twice",
    })?;
    let mut fields = Fields::default();
    for (key, value) in json.top.0 {
        // These stand in the relay's part.
        if !matches!(key.as_str(), "identity_fingerprint" | "identity_public_key" | "relay_url") {
            fields.add(&key, value)?;
        }
    }
    for (key, value) in json.relay.0 {
        match key.as_str() {
            "url" => fields.add("relay_url", value)?,
            "identity_fingerprint" | "identity_public_key" => fields.add(&key, value)?,
            _ => {}
        }
    }
    Ok(fields)
}

struct JsonCode {
    top: Texts,
    relay: Texts,
}

/// The members of an object that are texts.
#[derive(Default)]
struct Texts(Vec<(String, String)>);

impl<'de> Deserialize<'de> for JsonCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = JsonCode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pairing code")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonCode, A::Error> {
        let mut code = JsonCode { top: Texts::default(), relay: Texts::default() };
        let mut seen: Vec<String> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom("a key stands twice"));
            }
            match key.as_str() {
                "relay" => code.relay = map.next_value()?,
                _ if KEYS.contains(&key.as_str()) => {
                    code.top.0.push((key.clone(), map.next_value::<Option<String>>()?.unwrap_or_default()));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            seen.push(key);
        }
        Ok(code)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RelayVisitor)
    }
}

struct RelayVisitor;

impl<'de> Visitor<'de> for RelayVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the relay's part of a pairing code")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        let mut texts = Texts::default();
        let mut seen: Vec<String> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom("a key stands twice"));
            }
            if matches!(key.as_str(), "url" | "identity_fingerprint" | "identity_public_key") {
                texts.0.push((key.clone(), map.next_value::<Option<String>>()?.unwrap_or_default()));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            seen.push(key);
        }
        Ok(texts)
    }
}

fn check_relay_url(text: &str) -> Result<String> {
    let malformed = |reason| Error::PairingMalformed { reason };
    let url = Url::split(text).filter(Url::is_web_socket).ok_or(malformed("relay_url is no ws:// or wss:// URL"))?;
    if url.user_info.is_some() {
        return Err(malformed("relay_url holds user info"));
    }
    if url.scheme.eq_ignore_ascii_case("ws") && !is_local(&url) {
        return Err(Error::PairingInsecureUrl { host: url.host.to_owned() });
    }
    relay_url_normal_form(text).ok_or(malformed("relay_url is no ws:// or wss:// URL"))
}

fn check_instance_url(text: String) -> Result<String> {
    match Url::split(&text) {
        Some(url) if url.scheme.eq_ignore_ascii_case("https") => Ok(text),
        _ => Err(Error::PairingMalformed { reason: "instance_url is no https:// URL" }),
    }
}
