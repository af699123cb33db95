//! The errors of a call across the C boundary itself. No Rust function returns them, so they are not variants of
//! [`Error`]; their numbers are below the library's.

#[cfg(feature = "capi")]
use core::ffi::CStr;

#[cfg(feature = "capi")]
use super::c_name;
use super::{Error, ErrorEntry};

macro_rules! boundary_errors {
    ($(#[doc = $meaning:literal] #[remedy = $remedy:literal] $code:literal $name:literal $constant:ident;)*) => {
        impl Error {
            /// What a C function returns besides the errors of [`Error::TABLE`]: the call itself was wrong.
            pub const BOUNDARY: &'static [ErrorEntry] =
                &[$(ErrorEntry { code: $code, name: $name, meaning: $meaning.trim_ascii(), remedy: $remedy }),*];

            /// The same with NUL-terminated names.
            #[cfg(feature = "capi")]
            pub(crate) const BOUNDARY_C_NAMES: &'static [(u16, &'static CStr)] =
                &[$(($code, c_name(concat!($name, "\0")))),*];

            $(
                #[doc = $meaning]
                #[cfg(feature = "capi")]
                pub(crate) const $constant: i32 = $code;
            )*
        }
    };
}

boundary_errors! {
    /// A bug in pulse-trust was caught.
    #[remedy = "Report it; in WebAssembly the instance that failed takes no further call."]
    1 "PANIC" PANIC;
    /// A pointer that must not be NULL was NULL.
    #[remedy = "Correct the calling program."]
    2 "NULL_ARGUMENT" NULL_ARGUMENT;
    /// An argument is not UTF-8, not the JSON that it should be, or not one of the constants.
    #[remedy = "Correct the calling program as the message says."]
    3 "INVALID_ARGUMENT" INVALID_ARGUMENT;
}
