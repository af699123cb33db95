//! Refuses claims in whose objects a name appears twice, which two readers could understand differently.

use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// Refuses a claim that holds an object, at any depth, in which a name appears twice.
pub(super) fn check_names(claim: &'static str, value: Option<&RawValue>) -> Result<()> {
    // Lists of texts, which nearly all of them are, have no names.
    match value.filter(|value| value.get().contains('{')) {
        None => Ok(()),
        Some(value) => serde_json::from_str::<NamesOnce>(value.get())
            .map(drop)
            .map_err(|_| Error::ClaimType { claim, expected: "no object in which a name appears twice" }),
    }
}

/// Any JSON value in whose objects each name appears once. None of it is kept.
pub(super) struct NamesOnce;

impl NamesOnce {
    pub(super) fn read_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some((Text(name), Self)) = map.next_entry::<Text<'de>, Self>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a name appears twice"));
            }
        }
        Ok(Self)
    }
}

impl<'de> Deserialize<'de> for NamesOnce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = NamesOnce;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<NamesOnce, E> {
                Ok(NamesOnce)
            }
            fn visit_bool<E>(self, _: bool) -> Result<NamesOnce, E> {
                Ok(NamesOnce)
            }
            fn visit_i64<E>(self, _: i64) -> Result<NamesOnce, E> {
                Ok(NamesOnce)
            }
            fn visit_u64<E>(self, _: u64) -> Result<NamesOnce, E> {
                Ok(NamesOnce)
            }
            fn visit_f64<E>(self, _: f64) -> Result<NamesOnce, E> {
                Ok(NamesOnce)
            }
            fn visit_str<E>(self, _: &str) -> Result<NamesOnce, E> {
                Ok(NamesOnce)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<NamesOnce, A::Error> {
                while sequence.next_element::<NamesOnce>()?.is_some() {}
                Ok(NamesOnce)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NamesOnce, A::Error> {
                NamesOnce::read_map(map)
            }
        }
        deserializer.deserialize_any(NamesVisitor)
    }
}

/// A text, borrowed where it has no escapes: a claim's name, or a text in a list.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<'a>(core::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
            type Value = Text<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor(core::marker::PhantomData))
    }
}
