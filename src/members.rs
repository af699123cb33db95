//! Members of JSON objects on disk: each appears once, and those that we do not know are kept as they are
//! (formats.md#encrypted-files, #billing-state).

use core::fmt;
use core::marker::PhantomData;
use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::secret::{Secret, unescaped};

/// Members that we do not know, in their order, with their values as the file has them. They may hold secrets: they are
/// wiped when dropped, and no Debug output shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct UnknownMembers(Vec<(String, Zeroizing<String>)>);

impl UnknownMembers {
    /// Takes the next value of a map.
    pub(crate) fn take<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        let value: Box<RawValue> = map.next_value()?;
        // The box becomes the string, so that no other copy is left behind.
        self.0.push((name, Zeroizing::new(Box::<str>::from(value).into_string())));
        Ok(())
    }

    /// Writes them after the known ones.
    pub(crate) fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.0.iter().try_for_each(|(name, value)| {
            let value: &RawValue = serde_json::from_str(value).map_err(M::Error::custom)?;
            map.serialize_entry(name, value)
        })
    }
}

impl fmt::Debug for UnknownMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// A struct that is read from a JSON object, member by member.
pub(crate) trait ReadMembers: Default {
    /// Reads the next value of a map, which is that of the member `name`.
    fn read_member<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error>;
}

/// Reads an object in which each member appears at most once.
pub(crate) fn read_object<'de, T: ReadMembers, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: ReadMembers> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut value = T::default();
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("a member appears twice"));
            }
            value.read_member(name, &mut map)?;
        }
        Ok(value)
    }
}

/// The next value of a map; `null` counts as absent.
pub(crate) fn value_or_default<'de, A: MapAccess<'de>, T>(map: &mut A) -> Result<T, A::Error>
where
    T: Deserialize<'de> + Default,
{
    map.next_value::<Option<T>>().map(Option::unwrap_or_default)
}

/// The next value of a map, which is a text; `null` and the empty text count as absent.
pub(crate) fn text_or_none<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<String>, A::Error> {
    map.next_value::<Option<String>>().map(|text| text.filter(|text| !text.is_empty()))
}

/// The same for a secret text.
pub(crate) fn secret_or_none<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Secret>, A::Error> {
    secret_or_default(map).map(Secret::non_empty)
}

/// The next value of a map, which is a secret text; `null` is the empty text.
pub(crate) fn secret_or_default<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Secret, A::Error> {
    unescaped(map.next_value::<&RawValue>()?).ok_or_else(|| A::Error::custom("expected a text"))
}
