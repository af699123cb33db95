//! What a row of the error table becomes: a variant with its message, its number and its name.

macro_rules! error_table {
    ($(#[doc = $meaning:literal] #[remedy = $remedy:literal] $code:literal $name:literal $variant:ident $({ $($field:ident: $kind:ty),* $(,)? })? => $message:literal $(, [$($argument:tt)*])?;)*) => {
        /// Why something was refused or could not be done.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $(
                #[doc = $meaning]
                #[doc = ""]
                #[doc = concat!("What to do: ", $remedy)]
                #[error($message $(, $($argument)*)?)]
                #[allow(missing_docs)]
                $variant $({ $($field: $kind),* })?,
            )*
        }

        impl Error {
            /// Every error of the crate, in ascending order of the numbers.
            pub const TABLE: &'static [ErrorEntry] =
                &[$(ErrorEntry { code: $code, name: $name, meaning: $meaning.trim_ascii(), remedy: $remedy }),*];

            /// The same with NUL-terminated names.
            #[cfg(feature = "capi")]
            pub(crate) const C_NAMES: &'static [(u16, &'static CStr)] = &[$(($code, c_name(concat!($name, "\0")))),*];

            /// The stable number that every language shares.
            pub const fn code(&self) -> u16 {
                match self { $(Self::$variant { .. } => $code,)* }
            }

            /// The stable name that goes with [`Error::code`].
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name,)* }
            }
        }
    };
}

pub(super) use error_table;
