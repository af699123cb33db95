//! Any bytes through the C functions that take text or bytes from outside: an output is there on success only, an error
//! on failure only, and no panic was caught.

use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

use pulse_trust::ffi::frame::pulse_frame_decode;
use pulse_trust::ffi::ids::{pulse_host_normalize, pulse_instance_id_of_host, pulse_tenant_host};
use pulse_trust::ffi::keys::{pulse_public_key_describe, pulse_signing_key_free, pulse_signing_key_from_base64};
use pulse_trust::ffi::pairing::{
    pulse_connection_check, pulse_pairing_code_free, pulse_pairing_code_parse, pulse_pairing_code_secret_json,
    pulse_qr_svg, pulse_qr_terminal, pulse_relay_url_for_app,
};
use pulse_trust::ffi::{buffer, error, pulse_buffer, pulse_error, pulse_status};

type TextToBuffer =
    unsafe extern "C" fn(*const c_char, usize, *mut *mut pulse_buffer, *mut *mut pulse_error) -> pulse_status;

const TEXT_TO_BUFFER: [TextToBuffer; 7] = [
    pulse_host_normalize,
    pulse_instance_id_of_host,
    pulse_public_key_describe,
    pulse_connection_check,
    pulse_relay_url_for_app,
    pulse_qr_svg,
    pulse_qr_terminal,
];

/// The first byte picks the function, the rest is its input.
pub(crate) fn run(input: &[u8]) {
    let Some((pick, input)) = input.split_first() else { return };
    let (text, length) = (input.as_ptr().cast::<c_char>(), input.len());
    // SAFETY: every pointer is valid for its length, every output for a write, and each handle is released once.
    unsafe {
        let pick = usize::from(*pick);
        if let Some(function) = TEXT_TO_BUFFER.get(pick) {
            gives_a_buffer(|out, error| function(text, length, out, error));
            return;
        }
        match pick {
            7 => {
                let cut = input.iter().position(|byte| *byte == b'\n').unwrap_or(length);
                let (first, second) = input.split_at(cut);
                gives_a_buffer(|out, error| {
                    pulse_tenant_host(
                        first.as_ptr().cast(),
                        first.len(),
                        second.as_ptr().cast(),
                        second.len(),
                        out,
                        error,
                    )
                });
            }
            8 => {
                let code = gives(|out, error| pulse_pairing_code_parse(text, length, out, error));
                if !code.is_null() {
                    gives_a_buffer(|out, error| pulse_pairing_code_secret_json(code, out, error));
                    pulse_pairing_code_free(code);
                }
            }
            9 => pulse_signing_key_free(gives(|out, error| pulse_signing_key_from_base64(text, length, out, error))),
            _ => {
                let (mut kind, mut channel, mut offset) = (0xa5, 0xa5a5, 0xa5a5);
                let mut fault = null_mut();
                let status =
                    pulse_frame_decode(input.as_ptr(), length, &mut kind, &mut channel, &mut offset, &mut fault);
                check(status, fault);
                if is_ok(status) {
                    assert!(offset <= length);
                } else {
                    assert_eq!((kind, channel, offset), (0xa5, 0xa5a5, 0xa5a5), "an output was written on failure");
                }
            }
        }
    }
}

/// Calls a function whose output is a buffer, and reads all of it.
unsafe fn gives_a_buffer(call: impl FnOnce(*mut *mut pulse_buffer, *mut *mut pulse_error) -> pulse_status) {
    // SAFETY: as the caller says.
    unsafe {
        let out = gives(call);
        if !out.is_null() {
            let bytes = std::slice::from_raw_parts(buffer::pulse_buffer_data(out), buffer::pulse_buffer_len(out));
            // A text that comes back as it was given may hold the NUL that it was given with.
            let until_nul = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            assert_eq!(CStr::from_ptr(buffer::pulse_buffer_text(out)).to_bytes().len(), until_nul);
            buffer::pulse_buffer_free(out);
        }
    }
}

/// The output of a call, NULL where it failed.
unsafe fn gives<T>(call: impl FnOnce(*mut *mut T, *mut *mut pulse_error) -> pulse_status) -> *mut T {
    let mut untouched = 0_u8;
    let untouched: *mut T = (&raw mut untouched).cast();
    let (mut out, mut fault) = (untouched, null_mut());
    let status = call(&mut out, &mut fault);
    // SAFETY: as the caller says.
    unsafe { check(status, fault) };
    if is_ok(status) {
        assert!(!out.is_null() && out != untouched, "success without an output");
        return out;
    }
    assert_eq!(out, untouched, "an output was written on failure");
    null_mut()
}

fn is_ok(status: pulse_status) -> bool {
    name(status) == c"OK"
}

fn name(status: pulse_status) -> &'static CStr {
    // SAFETY: a name is a text that is valid for ever.
    unsafe { CStr::from_ptr(error::pulse_status_name(status)) }
}

/// An error is there exactly where the status says so, says the same, and is released.
unsafe fn check(status: pulse_status, fault: *mut pulse_error) {
    assert_ne!(name(status), c"PANIC");
    assert_eq!(fault.is_null(), is_ok(status));
    if !fault.is_null() {
        // SAFETY: it is live.
        unsafe {
            assert_eq!(error::pulse_error_status(fault), status);
            let message = error::pulse_error_message(fault);
            assert!(!message.is_null() && !CStr::from_ptr(message).is_empty());
            error::pulse_error_free(fault);
        }
    }
}
