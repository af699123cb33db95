//! The migration of a purchase, a member of billing.json ([formats: billing
//! state](crate::_documentation::formats#billing-state)).

use core::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::json::{ReadJson, WriteJson};
use crate::members::{Names, UnknownMembers};

/// A migration of a purchase. Members that we do not know are kept, but no integrity code covers them.
///
/// See the example of [`issue_billing_state`](crate::hosted::issue_billing_state).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CommercialMigration {
    /// Where it comes from.
    pub source: String,
    /// How far it is.
    pub state: String,
    /// Why it is there.
    pub reason: String,
    /// What the customer should do.
    pub recommended_action: String,
    /// Unix seconds.
    pub first_failed_at: Option<i64>,
    unknown: UnknownMembers,
}

impl CommercialMigration {
    /// The normal form that every write has; `None` where its state is neither `pending` nor `failed`, as no migration
    /// is under way then.
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
        self.first_failed_at = self.first_failed_at.map(|at| at.max(0));
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
        self.first_failed_at.map_or(Ok(()), |at| map.serialize_entry("first_failed_at", &at))
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
        deserializer.deserialize_map(MigrationVisitor)
    }
}

struct MigrationVisitor;

impl<'de> Visitor<'de> for MigrationVisitor {
    type Value = CommercialMigration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CommercialMigration, A::Error> {
        let mut migration = CommercialMigration::default();
        let mut names = Names::default();
        while let Some(name) = names.next(&mut map)? {
            match name.as_str() {
                "source" => migration.source = text(&mut map)?,
                "state" => migration.state = text(&mut map)?,
                "reason" => migration.reason = text(&mut map)?,
                "recommended_action" => migration.recommended_action = text(&mut map)?,
                "first_failed_at" => migration.first_failed_at = map.next_value()?,
                _ => migration.unknown.take(name, &mut map)?,
            }
        }
        Ok(migration)
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    map.next_value::<Option<String>>().map(Option::unwrap_or_default)
}
