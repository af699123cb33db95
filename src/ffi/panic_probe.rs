//! A function that panics, for the test that no panic crosses the line (feature `panic-probe`).

use super::call::guard;
use super::error::{pulse_error, pulse_status};

/// Panics, and so gives `PULSE_ERR_PANIC`.
///
/// # Safety
/// `error` is NULL or valid for a write.
#[allow(clippy::panic)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_panic_probe(error: *mut *mut pulse_error) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe { guard(error, || panic!("the probe")) }
}
