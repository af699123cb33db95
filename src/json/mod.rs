//! JSON: structs are read from objects only, and values are written as Go's `encoding/json` does (`<`, `>`, `&`, U+2028
//! and U+2029 escaped, formats.md#billing-state).

pub(crate) mod form;

use core::fmt;
use std::io::{self, Write};
use std::mem;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use zeroize::Zeroizing;

use crate::error;

pub(crate) use form::{Json, ReadJson, WriteJson, json_form, json_struct, written_as_name};

/// Reads JSON from bytes, which must be UTF-8. If a struct is expected, only an object is accepted.
pub(crate) fn from_bytes<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> serde_json::Result<T> {
    from_text(str::from_utf8(bytes).map_err(serde_json::Error::custom)?)
}

/// Reads JSON. If a struct is expected, only an object is accepted.
pub(crate) fn from_text<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
    serde_json::from_str::<Object<T>>(text).map(|object| object.0)
}

/// Reads a value by its own form.
pub(crate) fn value_from_bytes<'a, T: ReadJson<'a>>(bytes: &'a [u8]) -> serde_json::Result<T> {
    value_from_text(str::from_utf8(bytes).map_err(serde_json::Error::custom)?)
}

/// Reads a value by its own form.
pub(crate) fn value_from_text<'a, T: ReadJson<'a>>(text: &'a str) -> serde_json::Result<T> {
    serde_json::from_str::<Json<T>>(text).map(|value| value.0)
}

/// A value that, if it is a struct, is read from an object only. serde's derived readers also take an array of a
/// struct's values in their order, so that `["token"]` would be a registration; no other reader of Pulse's formats
/// does.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(ObjectsOnly(deserializer)).map(Self)
    }
}

/// For `#[serde(deserialize_with)]`: `null` counts as absent.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(value.map(|value| value.0).unwrap_or_default())
}

/// Reads a text where it is, without a copy of it; `expected` says what it should be.
pub(crate) fn read_text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    read: impl FnOnce(&str) -> error::Result<T>,
) -> Result<T, D::Error> {
    struct TextVisitor<F>(&'static str, F);

    impl<T, F: FnOnce(&str) -> error::Result<T>> Visitor<'_> for TextVisitor<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).map_err(E::custom)
        }
    }

    deserializer.deserialize_str(TextVisitor(expected, read))
}

/// For `#[serde(deserialize_with)]`: `null` and the empty text count as absent.
pub(crate) fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

/// For `#[serde(skip_serializing_if)]`, with [`text_or_none`].
#[allow(clippy::ref_option, reason = "the signature that serde calls")]
pub(crate) fn is_no_text(text: &Option<String>) -> bool {
    text.as_ref().is_none_or(String::is_empty)
}

struct ObjectsOnly<D>(D);

macro_rules! forwards {
    ($($method:ident($($argument:ident: $kind:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($argument,)* visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectsOnly<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(OptionalObject(visitor))
    }

    forwards! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }
}

/// Reads what is inside an `Option` by the same rule.
struct OptionalObject<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for OptionalObject<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(ObjectsOnly(deserializer))
    }
}

/// Compact text of a value that cannot fail to serialize: its names are texts, and it is written to memory.
pub(crate) fn text_of<T: Serialize + ?Sized>(value: &T) -> String {
    to_compact(value).unwrap_or_default()
}

/// The same, indented.
pub(crate) fn indented_text_of<T: Serialize + ?Sized>(value: &T) -> String {
    to_indented(value).unwrap_or_default()
}

/// Compact, as Go's `json.Marshal`.
pub(crate) fn to_compact<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    write(value, GoFormatter::Compact(CompactFormatter))
}

/// Two-space indented, as Go's `json.MarshalIndent(value, "", "  ")`.
pub(crate) fn to_indented<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    write(value, GoFormatter::Indented(PrettyFormatter::with_indent(b"  ")))
}

fn write<T: Serialize + ?Sized>(value: &T, formatter: GoFormatter) -> serde_json::Result<String> {
    let mut text = WipedWhenMoved::default();
    value.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
    String::from_utf8(mem::take(&mut *text.0))
        .map_err(|error| serde_json::Error::io(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// Text that leaves no copy behind when it grows, as it may hold a secret.
#[derive(Default)]
struct WipedWhenMoved(Zeroizing<Vec<u8>>);

impl Write for WipedWhenMoved {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let larger = Vec::with_capacity(needed.max(self.0.capacity().saturating_mul(2)).max(512));
            let outgrown = mem::replace(&mut self.0, Zeroizing::new(larger));
            self.0.extend_from_slice(&outgrown);
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Either formatter, with Go's escapes in the texts. One type, so that each value's serialization is compiled once.
enum GoFormatter {
    Compact(CompactFormatter),
    Indented(PrettyFormatter<'static>),
}

macro_rules! as_the_formatter {
    ($($method:ident($($argument:ident: $kind:ty)?);)*) => {
        $(fn $method<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $kind)?) -> io::Result<()> {
            match self {
                Self::Compact(formatter) => formatter.$method(writer $(, $argument)?),
                Self::Indented(formatter) => formatter.$method(writer $(, $argument)?),
            }
        })*
    };
}

impl Formatter for GoFormatter {
    as_the_formatter! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(position) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, from) = rest.split_at(position);
            writer.write_all(before.as_bytes())?;
            let mut characters = from.chars();
            if let Some(special) = characters.next() {
                write!(writer, "\\u{:04x}", u32::from(special))?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_go_does() {
        let text = "a<b>&\u{2028}\u{2029}é\"\\\n\u{1}\u{7f}";
        assert_eq!(to_compact(text).unwrap(), "\"a\\u003cb\\u003e\\u0026\\u2028\\u2029é\\\"\\\\\\n\\u0001\u{7f}\"");
    }

    #[test]
    fn a_struct_is_read_from_an_object_alone() {
        #[derive(Deserialize)]
        struct Pair<'a> {
            token: &'a str,
            #[serde(default)]
            hint: Option<Object<Inner>>,
        }
        #[derive(Deserialize, Default)]
        struct Inner {
            at: i64,
        }
        let pair: Pair<'_> = from_text(r#"{"token":"t","hint":{"at":7}}"#).unwrap();
        assert_eq!((pair.token, pair.hint.unwrap().0.at), ("t", 7));
        // What serde's derive alone would accept.
        assert!(serde_json::from_str::<Pair<'_>>(r#"["t",null]"#).is_ok());
        for array in [r#"["t",null]"#, r#"["t"]"#, "[]", r#"{"token":"t","hint":[7]}"#] {
            assert!(from_text::<Pair<'_>>(array).is_err(), "{array}");
            assert!(from_bytes::<Pair<'_>>(array.as_bytes()).is_err(), "{array}");
        }
    }

    #[test]
    fn indents_by_two_spaces() {
        let value = serde_json::json!({"a": [1, 2], "b": {}});
        assert_eq!(to_indented(&value).unwrap(), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
    }
}
