//! Members of JSON objects on disk: each appears once, and those that we do not know are kept as they are
//! (formats.md#encrypted-files, #billing-state).

use core::fmt;
use std::collections::BTreeSet;

use serde::de::{Error as _, MapAccess};
use serde::ser::{Error as _, SerializeMap};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// Members that we do not know, in their order, with their values as the file has them. They may hold secrets: they are
/// wiped when dropped, and no Debug output shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct UnknownMembers(Vec<(String, Zeroizing<String>)>);

impl UnknownMembers {
    /// Takes the value that is next in a map.
    pub(crate) fn take<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        let value: Box<RawValue> = map.next_value()?;
        // The box becomes the string, so that no other copy is left behind.
        self.0.push((name, Zeroizing::new(Box::<str>::from(value).into_string())));
        Ok(())
    }

    /// Writes them, where the known ones were written before.
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

/// The names that were read of an object.
#[derive(Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// The next name of a map; an error where it was there before.
    pub(crate) fn next<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<Option<String>, A::Error> {
        let Some(name) = map.next_key::<String>()? else {
            return Ok(None);
        };
        match self.0.insert(name.clone()) {
            true => Ok(Some(name)),
            false => Err(A::Error::custom("a member appears twice")),
        }
    }
}
