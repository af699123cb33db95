//! The two forms of a scanned text, read into one set of members.

use core::fmt;
use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::deep_link;
use crate::error::{Error, Result};
use crate::secret::{Secret, unescaped};

/// The known members, by their names in a deep link. Others are ignored.
const NAMES: [&str; 8] = [
    "auth_token",
    "identity_fingerprint",
    "identity_public_key",
    "instance_id",
    "instance_url",
    "name",
    "relay_url",
    "schema",
];

/// The members of a scanned text: those that we know, each at most once, trimmed, not empty, without control
/// characters.
#[derive(Default)]
pub(super) struct Members {
    members: Vec<(&'static str, Zeroizing<String>)>,
}

impl Members {
    /// Reads either form. The text's length was checked before.
    pub(super) fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        match text.strip_prefix(deep_link::PREFIX) {
            Some(query) => Self::read_deep_link(query),
            None if text.starts_with('{') => Self::read_json(text),
            None => Err(refused("expected pulse://connect? or a JSON object")),
        }
    }

    fn read_deep_link(query: &str) -> Result<Self> {
        let mut members = Self::default();
        let mut seen = BTreeSet::new();
        for (name, value) in deep_link::read(query)? {
            members.put(&name, &value)?;
            check_first(&mut seen, name)?;
        }
        Ok(members)
    }

    fn read_json(text: &str) -> Result<Self> {
        let mut members = Self::default();
        for (name, value) in JsonObject::read(text)? {
            match name.as_str() {
                "relay" => members.read_json_relay(value.get())?,
                "auth_token" | "instance_id" | "instance_url" | "name" | "schema" => {
                    members.put(&name, read_json_text(value)?.expose_secret())?;
                }
                _ => {}
            }
        }
        Ok(members)
    }

    fn read_json_relay(&mut self, text: &str) -> Result<()> {
        for (name, value) in JsonObject::read(text)? {
            match name.as_str() {
                "url" => self.put("relay_url", read_json_text(value)?.expose_secret())?,
                "identity_fingerprint" | "identity_public_key" => {
                    self.put(&name, read_json_text(value)?.expose_secret())?
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn put(&mut self, name: &str, value: &str) -> Result<()> {
        let Some(name) = NAMES.into_iter().find(|known| *known == name) else {
            return Ok(());
        };
        if self.members.iter().any(|(present, _)| *present == name) {
            return Err(Error::PairingDuplicate { key: name });
        }
        if value.chars().any(char::is_control) {
            return Err(refused("a value contains a control character"));
        }
        self.members.push((name, Zeroizing::new(value.trim().to_owned())));
        Ok(())
    }

    /// A member that may be missing; an empty one counts as missing.
    pub(super) fn optional(&self, name: &'static str) -> Option<&str> {
        let (_, value) = self.members.iter().find(|(present, _)| *present == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// A required member.
    pub(super) fn required(&self, name: &'static str) -> Result<&str> {
        self.optional(name).ok_or(Error::PairingMissing { key: name })
    }
}

fn read_json_text(value: &RawValue) -> Result<Secret> {
    unescaped(value).ok_or(refused("a value is not text"))
}

/// Refuses a name that was seen before; [`Members::put`] does so for known members.
fn check_first(seen: &mut BTreeSet<String>, name: String) -> Result<()> {
    if seen.insert(name) { Ok(()) } else { Err(Error::PairingDuplicate { key: "an unknown key" }) }
}

/// A JSON object as its members, in their order.
struct JsonObject<'a> {
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> JsonObject<'a> {
    fn read(text: &'a str) -> Result<Vec<(String, &'a RawValue)>> {
        let object: Self = serde_json::from_str(text).map_err(|_| refused("expected a JSON object of this schema"))?;
        let mut seen = BTreeSet::new();
        for (name, _) in &object.members {
            let known = NAMES.into_iter().chain(["relay", "url"]).find(|known| known == name);
            if !seen.insert(name) {
                return Err(Error::PairingDuplicate { key: known.unwrap_or("an unknown key") });
            }
        }
        Ok(object.members)
    }
}

impl<'de> Deserialize<'de> for JsonObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = JsonObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(JsonObject { members })
    }
}

fn refused(reason: &'static str) -> Error {
    Error::PairingMalformed { reason }
}
