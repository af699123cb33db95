//! The error codes of an ERROR frame ([formats: frames](crate::_documentation::formats#frames)).

use core::fmt;

macro_rules! wire_error_codes {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// The code of an ERROR frame.
        ///
        /// ```
        /// use pulse_trust::relay::WireErrorCode;
        /// assert_eq!(WireErrorCode::from_name("LICENSE_EXPIRED"), Some(WireErrorCode::LicenseExpired));
        /// assert_eq!(WireErrorCode::LicenseExpired.as_str(), "LICENSE_EXPIRED");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum WireErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl WireErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as the frame writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The code of this name, where it is one we know.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

wire_error_codes! {
    /// The relay failed.
    InternalError "INTERNAL_ERROR";
    /// No such instance is connected.
    InstanceNotFound "INSTANCE_NOT_FOUND";
    /// A session or auth token was refused.
    AuthFailed "AUTH_FAILED";
    /// The credential was refused.
    LicenseInvalid "LICENSE_INVALID";
    /// The credential is past its expiry.
    LicenseExpired "LICENSE_EXPIRED";
    /// Too many tries.
    RateLimited "RATE_LIMITED";
    /// Another identity holds the instance id.
    DuplicateInstance "DUPLICATE_INSTANCE";
    /// The instance has as many channels as it may.
    ChannelLimitReached "CHANNEL_LIMIT_REACHED";
    /// The relay is going down.
    ServerDraining "SERVER_DRAINING";
}

impl fmt::Display for WireErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
