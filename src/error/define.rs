//! What a row of the error table becomes: a variant with its message, its number, its name and its wire code.

macro_rules! error_table {
    // An attribute that stands where there are fields alone has to mention them.
    (no_text $($field:ident)*) => { "" };
    ($(#[doc = $meaning:literal] #[remedy = $remedy:literal] $(#[wire = $wire:ident])? $code:literal $name:literal $variant:ident $({ $($field:ident: $kind:ty),* $(,)? })? => $message:literal $(, [$($argument:tt)*])?;)*) => {
        /// Why something was refused or could not be done.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $(
                #[doc = $meaning]
                #[doc = ""]
                #[doc = concat!("What to do: ", $remedy)]
                #[error($message $(, $($argument)*)?)]
                #[allow(missing_docs, reason = "the message says what each field is")]
                $(#[non_exhaustive] #[doc = error_table!(no_text $($field)*)])?
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

            /// The code under which a relay's ERROR frame refuses a registration for this reason. Its message may be
            /// sent along, as it holds no secret.
            ///
            /// ```
            /// use pulse_trust::Error;
            /// use pulse_trust::relay::WireErrorCode;
            ///
            /// assert_eq!(Error::InstanceHintMissing.wire_code(), WireErrorCode::LicenseInvalid);
            /// ```
            pub const fn wire_code(&self) -> WireErrorCode {
                match self {
                    $($(Self::$variant { .. } => WireErrorCode::$wire,)?)*
                    _ => WireErrorCode::LicenseInvalid,
                }
            }
        }
    };
}

pub(super) use error_table;
