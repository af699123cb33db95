//! JSON forms that are private to this crate. Public types have these instead of serde's traits, which would be part of
//! the public API and would let any caller write a secret anywhere.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::ObjectsOnly;

/// A type with a JSON form that this crate writes.
pub(crate) trait WriteJson {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// A type with a JSON form that this crate reads.
pub(crate) trait ReadJson<'de>: Sized {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Gives a value serde's traits where serde asks for them. A struct is read from an object only.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: WriteJson + ?Sized> Serialize for Json<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write_json(serializer)
    }
}

impl<'de, T: ReadJson<'de>> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_json(ObjectsOnly(deserializer)).map(Self)
    }
}

/// For `#[serde(with = "crate::json::form")]`, with [`deserialize`].
pub(crate) fn serialize<T: WriteJson + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.write_json(serializer)
}

/// For `#[serde(with = "crate::json::form")]`: reads a member that may be `null`.
pub(crate) fn deserialize<'de, T: ReadJson<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Option::<Json<T>>::deserialize(deserializer)?;
    Ok(value.map(|value| value.0).unwrap_or_default())
}

impl<T: WriteJson + ?Sized> WriteJson for &T {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (*self).write_json(serializer)
    }
}

impl<T: WriteJson> WriteJson for Option<T> {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Json).serialize(serializer)
    }
}

impl<'de, T: ReadJson<'de>> ReadJson<'de> for Option<T> {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Json<T>>::deserialize(deserializer)?.map(|value| value.0))
    }
}

impl<T: WriteJson> WriteJson for [T] {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Json))
    }
}

impl<T: WriteJson> WriteJson for Vec<T> {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().write_json(serializer)
    }
}

impl<'de, T: ReadJson<'de>> ReadJson<'de> for Vec<T> {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<Json<T>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|value| value.0).collect())
    }
}

/// The JSON form of a type that is a name.
macro_rules! written_as_name {
    ($($name:ty),*) => {
        $(impl $crate::json::WriteJson for $name {
            fn write_json<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        })*
    };
}

/// Declares a public struct whose members are those of a JSON object, and gives it its form: a twin that only this
/// crate sees, with serde's derives and attributes, which serde fills from the struct as from a `remote` one.
/// `#[form(..)]` says which of the two derives. The struct is `#[non_exhaustive]`: a format may grow.
macro_rules! json_struct {
    (
        $(#[doc = $about:literal])*
        $(#[derive($($derive:ident),*)])?
        #[form($($direction:ident),* in $twin:ident of $remote:literal)]
        $(#[serde($($container:tt)*)])?
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $(#[serde($($member:tt)*)])?
                $visibility:vis $field:ident: $type:ty,
            )*
        }
    ) => {
        $(#[doc = $about])*
        $(#[derive($($derive),*)])?
        #[non_exhaustive]
        pub struct $name {
            $($(#[doc = $doc])* $visibility $field: $type,)*
        }

        #[derive($(serde::$direction),*)]
        #[serde(remote = $remote $(, $($container)*)?)]
        #[allow(dead_code, reason = "serde fills the struct itself")]
        struct $twin {
            $($(#[serde($($member)*)])? $field: $type,)*
        }

        $($crate::json::json_form!($direction of $name in $twin);)*
    };
}

macro_rules! json_form {
    (Serialize of $name:ident in $twin:ident) => {
        impl $crate::json::WriteJson for $name {
            fn write_json<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $twin::serialize(self, serializer)
            }
        }
    };
    (Deserialize of $name:ident in $twin:ident) => {
        impl<'de> $crate::json::ReadJson<'de> for $name {
            fn read_json<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $twin::deserialize(deserializer)
            }
        }
    };
}

pub(crate) use {json_form, json_struct, written_as_name};
