//! Version, status and errors

use core::ffi::{CStr, c_char};

use super::call::{compute, free, read};
use super::fault::{pulse_error, pulse_status};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The version of the library at run time, such as `1.2.3`; `PULSE_TRUST_VERSION` is that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The stable name of a status, such as `SIGNATURE_INVALID`; `UNKNOWN` for a number that has none. Valid forever.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_status_name(status: pulse_status) -> *const c_char {
    compute(|| status.name()).unwrap_or(c"UNKNOWN").as_ptr()
}

/// The number of an error, as the call returned it; `PULSE_ERR_NULL_ARGUMENT` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_status(error: *const pulse_error) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe { read(error, pulse_status::NULL_ARGUMENT, |error| error.status) }
}

/// What is wrong, in words, NUL-terminated; it holds no secret. Empty for NULL. Valid as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_message(error: *const pulse_error) -> *const c_char {
    // SAFETY: the pointer contract of this module.
    unsafe { read(error, c"".as_ptr(), |error| error.message.as_ptr()) }
}

/// The code that a relay's ERROR frame carries for it, one of `PULSE_WIRE_...`; NULL if there is none. Valid as long as
/// the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_wire_code(error: *const pulse_error) -> *const c_char {
    let none = core::ptr::null();
    // SAFETY: the pointer contract of this module.
    unsafe { read(error, none, |error| error.wire_code.as_ref().map_or(none, |code| code.as_ptr())) }
}

/// Details as JSON, such as the diagnostics of `PULSE_ERR_PAIRING_NOT_READY`; NULL if there are none. Valid as long as
/// the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_detail_json(error: *const pulse_error) -> *const c_char {
    let none = core::ptr::null();
    // SAFETY: the pointer contract of this module.
    unsafe { read(error, none, |error| error.detail_json.as_ref().map_or(none, |detail| detail.as_ptr())) }
}

/// Frees an error; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_error_free(error: *mut pulse_error) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(error) };
}
