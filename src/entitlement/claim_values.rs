//! The values of claims: texts, numbers, times, lists and limits, each with the error that names its claim.

use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::capability::Capability;
use super::unique_names::{NamesOnce, Text};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::time::UnixTime;

/// A claim's value where a text or a number is expected.
pub(super) enum Scalar<'a> {
    /// `null`, which counts as absent, as for the deployed readers.
    Null,
    /// An integer without fraction and exponent.
    Integer(i64),
    /// A text.
    Text(Cow<'a, str>),
    /// Anything else.
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor(core::marker::PhantomData))
    }
}

struct ScalarVisitor<'a>(core::marker::PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for ScalarVisitor<'a> {
    type Value = Scalar<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim's value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'a>, E> {
        Ok(Scalar::Null)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'a>, E> {
        Ok(Scalar::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'a>, E> {
        Ok(i64::try_from(value).map_or(Scalar::Other, Scalar::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar<'a>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar<'a>, E> {
        Ok(Scalar::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'a>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'a>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Scalar<'a>, A::Error> {
        while sequence.next_element::<NamesOnce>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar<'a>, A::Error> {
        NamesOnce::read_map(map).map(|_| Scalar::Other)
    }
}

/// A text claim; absent and `null` are `None`.
pub(super) fn text<'a>(claim: &'static str, value: Option<Scalar<'a>>) -> Result<Option<Cow<'a, str>>> {
    match value {
        None | Some(Scalar::Null) => Ok(None),
        Some(Scalar::Text(text)) => Ok(Some(text)),
        Some(_) => Err(Error::ClaimType { claim, expected: "a text" }),
    }
}

/// A text claim, borrowed.
pub(super) fn peek_text<'a>(claim: &'static str, value: Option<&'a Scalar<'_>>) -> Result<Option<&'a str>> {
    match value {
        None | Some(Scalar::Null) => Ok(None),
        Some(Scalar::Text(text)) => Ok(Some(text)),
        Some(_) => Err(Error::ClaimType { claim, expected: "a text" }),
    }
}

/// A text claim that is left out when empty: empty is `None`.
pub(super) fn optional_text(claim: &'static str, value: Option<Scalar<'_>>) -> Result<Option<String>> {
    Ok(text(claim, value)?.filter(|text| !text.is_empty()).map(Cow::into_owned))
}

/// A text claim that must not be missing or empty.
pub(super) fn required_text(claim: &'static str, value: Option<Scalar<'_>>) -> Result<String> {
    optional_text(claim, value)?.ok_or(Error::ClaimMissing { claim })
}

/// An integer claim; absent and `null` are `None`.
pub(super) fn integer(claim: &'static str, value: Option<Scalar<'_>>) -> Result<Option<i64>> {
    peek_integer(claim, value.as_ref())
}

/// An integer claim, borrowed.
pub(super) fn peek_integer(claim: &'static str, value: Option<&Scalar<'_>>) -> Result<Option<i64>> {
    match value {
        None | Some(Scalar::Null) => Ok(None),
        Some(Scalar::Integer(value)) => Ok(Some(*value)),
        Some(_) => Err(Error::ClaimType { claim, expected: "an integer without a fraction or an exponent" }),
    }
}

/// A claim that is a time in Unix seconds; absent and `null` are `None`.
pub(super) fn time(claim: &'static str, value: Option<Scalar<'_>>) -> Result<Option<UnixTime>> {
    peek_time(claim, value.as_ref())
}

/// A time claim, borrowed.
pub(super) fn peek_time(claim: &'static str, value: Option<&Scalar<'_>>) -> Result<Option<UnixTime>> {
    Ok(peek_integer(claim, value)?.map(UnixTime::from_secs))
}

/// Whether a claim is `expected`, as a text or as a list of that text alone; `None` for an empty list. Nothing of the
/// claim is kept.
pub(super) fn is_only_text(claim: &'static str, value: &RawValue, expected: &str) -> Result<Option<bool>> {
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    let is_only = deserializer.deserialize_any(OnlyText { expected });
    is_only.map_err(|_| Error::ClaimType { claim, expected: "a text or a list of texts" })
}

struct OnlyText<'e> {
    expected: &'e str,
}

impl<'de> Visitor<'de> for OnlyText<'_> {
    type Value = Option<bool>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<bool>, E> {
        Ok(Some(text == self.expected))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Option<bool>, A::Error> {
        let mut is_only = None;
        while let Some(Text(text)) = sequence.next_element()? {
            is_only = Some(is_only.is_none() && text == self.expected);
        }
        Ok(is_only)
    }
}

/// A list of capability names; absent and `null` are empty.
pub(super) fn capabilities(claim: &'static str, value: Option<&RawValue>) -> Result<Vec<Capability>> {
    structure::<Option<Json<Vec<Capability>>>>(claim, value, "a list of texts")
        .map(|list| list.map(|list| list.0).unwrap_or_default())
}

/// A list of texts; absent and `null` are empty.
pub(super) fn texts(claim: &'static str, value: Option<&RawValue>) -> Result<Vec<String>> {
    structure(claim, value, "a list of texts")
}

/// The limits; absent and `null` are empty. No name appears twice.
pub(super) fn limits(value: Option<&RawValue>) -> Result<BTreeMap<String, i64>> {
    let limits: Limits = structure("limits", value, "an object of integers in which no name appears twice")?;
    Ok(limits.0)
}

fn structure<'a, T: Deserialize<'a> + Default>(
    claim: &'static str,
    value: Option<&'a RawValue>,
    expected: &'static str,
) -> Result<T> {
    match value {
        None => Ok(T::default()),
        Some(value) => serde_json::from_str::<Option<T>>(value.get())
            .map(Option::unwrap_or_default)
            .map_err(|_| Error::ClaimType { claim, expected }),
    }
}

#[derive(Default)]
struct Limits(BTreeMap<String, i64>);

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LimitsVisitor;
        impl<'de> Visitor<'de> for LimitsVisitor {
            type Value = Limits;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of integers")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Limits, A::Error> {
                let mut limits = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    if limits.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name appears twice"));
                    }
                }
                Ok(Limits(limits))
            }
        }
        deserializer.deserialize_map(LimitsVisitor)
    }
}
