//! The same questions through the C functions, as a C program asks them.

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

use pulse_trust::ffi::keys::{pulse_trust_keys_free, pulse_trust_keys_new};
use pulse_trust::ffi::token::{
    PULSE_HOST_ANY, PULSE_HOST_REQUIRE, pulse_token_check, pulse_token_free, pulse_token_verify,
};
use pulse_trust::ffi::{error, pulse_error, pulse_status};
use serde_json::Value;

use crate::common::text;

/// The name of the refusal; empty where there is none.
pub fn outcome(case: &Value) -> String {
    let (lease, license) = (text(&case["keys"], "lease"), text(&case["keys"], "license"));
    let (token, host, org) = (text(case, "token"), text(case, "host"), text(case, "org"));
    let capability = text(case, "capability");
    let now = case["now"].as_i64().unwrap();
    let leeway = u32::try_from(case["leeway"].as_u64().unwrap()).unwrap();
    let binding = if host.is_empty() { PULSE_HOST_ANY } else { PULSE_HOST_REQUIRE };
    let (mut keys, mut verified, mut refusal) = (null_mut(), null_mut(), null_mut());
    // SAFETY: every text is valid for its length, every output for a write, and each handle is freed once.
    unsafe {
        let made = pulse_trust_keys_new(
            start(lease),
            lease.len(),
            start(license),
            license.len(),
            &raw mut keys,
            &raw mut refusal,
        );
        assert!(is_ok(made));
        let mut status = pulse_token_verify(
            keys,
            start(token),
            token.len(),
            binding,
            start(host),
            host.len(),
            start(org),
            org.len(),
            leeway,
            now,
            &raw mut verified,
            &raw mut refusal,
        );
        assert_eq!(is_ok(status), !verified.is_null(), "an output on success alone");
        if is_ok(status) && !capability.is_empty() {
            status = pulse_token_check(verified, start(capability), capability.len(), now, &raw mut refusal);
        }
        pulse_token_free(verified);
        pulse_trust_keys_free(keys);
        taken(status, refusal)
    }
}

/// An empty text is NULL and 0, as C programs pass it.
fn start(text: &str) -> *const c_char {
    if text.is_empty() { null() } else { text.as_ptr().cast() }
}

/// The name of a refusal, which is freed.
///
/// # Safety
/// `refusal` is NULL or an error that is freed nowhere else.
unsafe fn taken(status: pulse_status, refusal: *mut pulse_error) -> String {
    assert_eq!(is_ok(status), refusal.is_null(), "an error on failure alone");
    if is_ok(status) {
        return String::new();
    }
    // SAFETY: the error is there, and its name is a static text.
    unsafe {
        assert_eq!(error::pulse_error_status(refusal), status);
        error::pulse_error_free(refusal);
    }
    name(status).to_str().unwrap().to_owned()
}

fn is_ok(status: pulse_status) -> bool {
    name(status) == c"OK"
}

fn name(status: pulse_status) -> &'static CStr {
    // SAFETY: a name is a text that is valid for ever.
    unsafe { CStr::from_ptr(error::pulse_status_name(status)) }
}
