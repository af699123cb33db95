//! A problem with a pairing code or a connection: a stable code, and a message.

use crate::json::{self, Json, json_struct, written_as_name};

macro_rules! diagnostic_codes {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// The stable code of a diagnostic ([formats: pairing](crate::_documentation::formats#pairing)).
        ///
        /// See the example of [`ConnectionCheck`](super::ConnectionCheck).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum DiagnosticCode {
            $($(#[$doc])* $variant,)*
        }

        impl DiagnosticCode {
            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

diagnostic_codes! {
    /// The instance's own URL is not an `https` URL and was left out.
    InstanceUrlNotHttps "instance_url_not_https";
    /// An app that checks a pairing code refuses this one.
    PairingCodeRefused "pairing_code_refused";
    /// The relay is off.
    RelayDisabled "relay_disabled";
    /// The instance has no id yet: it is not registered.
    RelayRegistrationUnavailable "relay_registration_unavailable";
    /// There is no auth token.
    AuthTokenMissing "auth_token_missing";
    /// The instance does not know the auth token.
    AuthTokenInvalid "auth_token_invalid";
    /// There is no instance id.
    InstanceIdMissing "instance_id_missing";
    /// The instance cannot say which id it has.
    InstanceIdUnverifiable "instance_id_unverifiable";
    /// The id is another instance's.
    InstanceIdMismatch "instance_id_mismatch";
    /// There is no relay URL.
    RelayUrlMissing "relay_url_missing";
    /// The relay URL is invalid.
    RelayUrlInvalid "relay_url_invalid";
    /// The relay URL is another relay's.
    RelayUrlMismatch "relay_url_mismatch";
}

/// How much a diagnostic matters.
///
/// See the example of [`ConnectionCheck`](super::ConnectionCheck).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// It works, with limitations.
    Warning,
    /// It does not work.
    Error,
}

impl Severity {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

written_as_name!(DiagnosticCode, Severity);

json_struct! {
    /// One diagnostic; in a payload's JSON it is the object that the contract describes. It never holds the token.
    ///
    /// See the example of [`ConnectionCheck`](super::ConnectionCheck).
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[form(Serialize in DiagnosticJson of "Diagnostic")]
    pub struct Diagnostic {
        /// Its stable code.
        #[serde(with = "crate::json::form")]
        pub code: DiagnosticCode,
        /// How much it matters.
        #[serde(with = "crate::json::form")]
        pub severity: Severity,
        /// What to do, in words.
        pub message: String,
        /// Which field it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub field: Option<&'static str>,
        /// What was expected there.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub expected: Option<String>,
        /// What was there.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub received: Option<String>,
    }
}

impl Diagnostic {
    pub(super) fn error(code: DiagnosticCode, message: &str) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.to_owned(),
            field: None,
            expected: None,
            received: None,
        }
    }

    pub(super) fn warning(code: DiagnosticCode, message: &str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    pub(super) fn about(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    pub(super) fn received(self, received: &str) -> Self {
        Self { received: Some(received.to_owned()), ..self }
    }

    pub(super) fn compared(self, expected: &str, received: &str) -> Self {
        Self { expected: Some(expected.to_owned()), ..self.received(received) }
    }

    /// The object that the contract describes, as compact JSON ([formats:
    /// pairing](crate::_documentation::formats#pairing)).
    pub fn to_json(&self) -> String {
        json::text_of(&Json(self))
    }

    /// Whether it keeps pairing from working.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
