//! Why a call failed: the number, and the owned error that the caller receives.

use core::ffi::CStr;
use std::ffi::CString;

use crate::error::Error;
use crate::relay::WireErrorCode;

/// The result of a call: 0 is success, anything else is the stable number of an error (`PULSE_ERR_...`).
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct pulse_status(i32);

impl pulse_status {
    pub(super) const OK: Self = Self(0);
    pub(super) const NULL_ARGUMENT: Self = Self(Error::NULL_ARGUMENT);
    const PANIC: Self = Self(Error::PANIC);
    const INVALID_ARGUMENT: Self = Self(Error::INVALID_ARGUMENT);

    /// The stable name; `UNKNOWN` for a number that has none.
    pub(super) fn name(self) -> &'static CStr {
        if self == Self::OK {
            return c"OK";
        }
        let mut names = Error::BOUNDARY_C_NAMES.iter().chain(Error::C_NAMES);
        names.find(|(code, _)| i32::from(*code) == self.0).map_or(c"UNKNOWN", |(_, name)| name)
    }
}

/// Why a call failed.
pub(super) enum Fault {
    Library(Error),
    /// The error, and details as JSON.
    Detailed(Error, String),
    Null(&'static str),
    Argument(&'static str, &'static str),
    ArgumentJson(&'static str, String),
    Panic,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl Fault {
    pub(super) fn status(&self) -> pulse_status {
        match self {
            Self::Library(error) | Self::Detailed(error, _) => pulse_status(i32::from(error.code())),
            Self::Null(_) => pulse_status::NULL_ARGUMENT,
            Self::Argument(..) | Self::ArgumentJson(..) => pulse_status::INVALID_ARGUMENT,
            Self::Panic => pulse_status::PANIC,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Library(error) | Self::Detailed(error, _) => error.to_string(),
            Self::Null(name) => format!("argument {name} is NULL"),
            Self::Argument(name, reason) => format!("argument {name}: {reason}"),
            Self::ArgumentJson(name, reason) => format!("argument {name}: {reason}"),
            Self::Panic => "a bug in pulse-trust was caught; the call did nothing".to_owned(),
        }
    }

    fn wire_code(&self) -> Option<WireErrorCode> {
        match self {
            Self::Library(error) | Self::Detailed(error, _) => Some(error.wire_code()),
            _ => None,
        }
    }

    fn detail_json(&self) -> Option<&str> {
        match self {
            Self::Detailed(_, json) => Some(json),
            _ => None,
        }
    }
}

/// Why a call failed: a number, a text, and details if there are any. Free it with `pulse_error_free`.
pub struct pulse_error {
    pub(super) status: pulse_status,
    pub(super) message: CString,
    pub(super) wire_code: Option<CString>,
    pub(super) detail_json: Option<CString>,
}

impl From<&Fault> for pulse_error {
    fn from(fault: &Fault) -> Self {
        Self {
            status: fault.status(),
            message: c_text(&fault.message()),
            wire_code: fault.wire_code().map(|code| c_text(code.as_str())),
            detail_json: fault.detail_json().map(c_text),
        }
    }
}

/// A text for C. A NUL inside, at which C would end the text, is left out.
pub(super) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}
