//! The conversions that every text type with a rule of its own has.

/// Gives a type around a `String` its conversions: `FromStr` and `TryFrom<&str>` by the named constructor,
/// `AsRef<str>`, and `Display`.
macro_rules! text_type {
    ($name:ident, $parse:ident) => {
        #[doc = concat!("As [`", stringify!($name), "::", stringify!($parse), "`].")]
        impl core::str::FromStr for $name {
            type Err = $crate::error::Error;

            fn from_str(text: &str) -> $crate::error::Result<Self> {
                Self::$parse(text)
            }
        }

        #[doc = concat!("As [`", stringify!($name), "::", stringify!($parse), "`].")]
        impl TryFrom<&str> for $name {
            type Error = $crate::error::Error;

            fn try_from(text: &str) -> $crate::error::Result<Self> {
                Self::$parse(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use text_type;
