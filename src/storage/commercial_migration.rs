//! The migration of a purchase, a member of billing.json ([formats: billing
//! state](crate::_documentation::formats#billing-state)).

use serde::de::{Deserializer, MapAccess};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::json::{Json, ReadJson, WriteJson};
use crate::members::{ReadMembers, UnknownMembers, read_object, value_or_default};
use crate::time::UnixTime;

/// A migration of a purchase. Members that we do not know are kept, but no integrity code covers them.
///
/// See the example of [`issue_billing_state`](crate::hosted::issue_billing_state).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CommercialMigration {
    /// Where it comes from.
    pub source: String,
    /// How far it has come.
    pub state: String,
    /// Why it is needed.
    pub reason: String,
    /// What the customer should do.
    pub recommended_action: String,
    /// When it first failed.
    pub first_failed_at: Option<UnixTime>,
    unknown: UnknownMembers,
}

impl CommercialMigration {
    /// The normal form that every write has; `None` if its state is neither `pending` nor `failed`, because then no
    /// migration is in progress.
    pub(super) fn normalized(mut self) -> Option<Self> {
        for text in [&mut self.source, &mut self.state, &mut self.reason, &mut self.recommended_action] {
            *text = text.trim().to_owned();
        }
        let action = match self.state.as_str() {
            "pending" => "retry_activation",
            "failed" => "use_v6_activation_key",
            _ => return None,
        };
        fill_in(&mut self.recommended_action, action);
        fill_in(&mut self.source, "v5_license");
        self.first_failed_at = self.first_failed_at.map(|at| at.max(UnixTime::from_secs(0)));
        Some(self)
    }

    fn write_known<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for (name, text) in [
            ("source", &self.source),
            ("state", &self.state),
            ("reason", &self.reason),
            ("recommended_action", &self.recommended_action),
        ] {
            if !text.is_empty() {
                map.serialize_entry(name, text)?;
            }
        }
        self.first_failed_at.map_or(Ok(()), |at| map.serialize_entry("first_failed_at", &at.as_secs()))
    }
}

fn fill_in(text: &mut String, default: &str) {
    if text.is_empty() {
        default.clone_into(text);
    }
}

/// What the file holds: the members we know, then the others.
impl WriteJson for CommercialMigration {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write_known(&mut map)?;
        self.unknown.write(&mut map)?;
        map.end()
    }
}

/// What an integrity code covers: the members we know alone.
pub(super) struct Covered<'a>(pub(super) &'a CommercialMigration);

impl Serialize for Covered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.write_known(&mut map)?;
        map.end()
    }
}

impl<'de> ReadJson<'de> for CommercialMigration {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_object(deserializer)
    }
}

impl ReadMembers for CommercialMigration {
    fn read_member<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "source" => self.source = value_or_default(map)?,
            "state" => self.state = value_or_default(map)?,
            "reason" => self.reason = value_or_default(map)?,
            "recommended_action" => self.recommended_action = value_or_default(map)?,
            "first_failed_at" => self.first_failed_at = map.next_value::<Json<_>>()?.0,
            _ => self.unknown.take(name, map)?,
        }
        Ok(())
    }
}
