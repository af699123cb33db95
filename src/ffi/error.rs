//! Status numbers and owned errors.

use core::ffi::{CStr, c_char};
use std::ffi::CString;

use super::call::{borrow, free, guard_or};
use crate::error::Error;
use crate::relay::WireErrorCode;

/// What came of a call: 0 is success, anything else the stable number of an error (`PULSE_ERR_...`).
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct pulse_status(i32);

impl pulse_status {
    pub(super) const OK: Self = Self(0);
    const PANIC: Self = Self(1);
    const NULL_ARGUMENT: Self = Self(2);
    const INVALID_ARGUMENT: Self = Self(3);
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
}

/// Why a call failed: a number, a text, and details where there are some. Free it with `pulse_error_free`.
pub struct pulse_error {
    status: pulse_status,
    message: CString,
    wire_code: Option<CString>,
    detail_json: Option<CString>,
}

impl pulse_error {
    pub(super) fn new(fault: &Fault) -> Self {
        let detail = match fault {
            Fault::Detailed(_, json) => Some(json.as_str()),
            _ => None,
        };
        Self {
            status: fault.status(),
            message: c_text(&fault.message()),
            wire_code: fault.wire_code().map(|code| c_text(code.as_str())),
            detail_json: detail.map(c_text),
        }
    }
}

/// A text for C. A NUL in it, which C would end at, is left out.
pub(super) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The version of the library, as `1.2.3`.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_version() -> *const c_char {
    guard_or(c"".as_ptr(), || Some(VERSION.as_ptr()))
}

/// The stable name of a status, as `SIGNATURE_INVALID`; `UNKNOWN` for a number that is none. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_status_name(status: pulse_status) -> *const c_char {
    guard_or(c"UNKNOWN".as_ptr(), || {
        let name = match status {
            pulse_status::OK => c"OK",
            pulse_status::PANIC => c"PANIC",
            pulse_status::NULL_ARGUMENT => c"NULL_ARGUMENT",
            pulse_status::INVALID_ARGUMENT => c"INVALID_ARGUMENT",
            pulse_status(number) => {
                Error::C_NAMES.iter().find(|(code, _)| i32::from(*code) == number).map_or(c"UNKNOWN", |(_, name)| name)
            }
        };
        Some(name.as_ptr())
    })
}

/// The number of an error, as the call returned it.
///
/// # Safety
/// `error` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_status(error: *const pulse_error) -> pulse_status {
    // SAFETY: as the caller says.
    guard_or(pulse_status::NULL_ARGUMENT, || Some(unsafe { borrow(error, "error") }.ok()?.status))
}

/// What is wrong, in words, NUL-terminated; it holds no secret. Valid as long as the error.
///
/// # Safety
/// `error` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_message(error: *const pulse_error) -> *const c_char {
    // SAFETY: as the caller says.
    guard_or(c"".as_ptr(), || Some(unsafe { borrow(error, "error") }.ok()?.message.as_ptr()))
}

/// What a relay's ERROR frame says of it, as `LICENSE_EXPIRED`; NULL where there is none. Valid as long as the error.
///
/// # Safety
/// `error` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_wire_code(error: *const pulse_error) -> *const c_char {
    guard_or(core::ptr::null(), || {
        // SAFETY: as the caller says.
        Some(unsafe { borrow(error, "error") }.ok()?.wire_code.as_ref()?.as_ptr())
    })
}

/// Details as JSON, as the diagnostics of `PULSE_ERR_PAIRING_NOT_READY`; NULL where there are none. Valid as long as
/// the error.
///
/// # Safety
/// `error` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_detail_json(error: *const pulse_error) -> *const c_char {
    guard_or(core::ptr::null(), || {
        // SAFETY: as the caller says.
        Some(unsafe { borrow(error, "error") }.ok()?.detail_json.as_ref()?.as_ptr())
    })
}

/// Frees an error; NULL is nothing to free.
///
/// # Safety
/// `error` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_free(error: *mut pulse_error) {
    // SAFETY: as the caller says.
    unsafe { free(error) };
}
