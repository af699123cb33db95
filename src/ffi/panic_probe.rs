//! A function that panics, for the test that no panic crosses the C boundary. It is only built with `--cfg
//! pulse_panic_probe`.

use super::buffer::pulse_buffer;
use super::call::{Out, call};
use super::fault::{pulse_error, pulse_status};

/// Panics, and so gives `PULSE_ERR_PANIC`.
#[allow(clippy::panic, reason = "a panic is what it is for")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_panic_probe(out: *mut *mut pulse_buffer, error: *mut *mut pulse_error) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe { call(error, Out::new(out, "out"), || panic!("the probe")) }
}
