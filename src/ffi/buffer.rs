//! Bytes and texts that the library hands out.

use core::ffi::c_char;

use zeroize::Zeroizing;

use super::call::{borrow, free, guard_or};

/// Bytes or UTF-8 text that the caller owns, with a NUL after them that does not count. Free it with
/// `pulse_buffer_free`, which wipes it: it may hold a secret.
pub struct pulse_buffer {
    with_nul: Zeroizing<Vec<u8>>,
}

impl pulse_buffer {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut with_nul = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_add(1)));
        with_nul.extend_from_slice(bytes);
        with_nul.push(0);
        Self { with_nul }
    }
}

/// The bytes; NULL for NULL. Valid as long as the buffer.
///
/// # Safety
/// `buffer` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_buffer_data(buffer: *const pulse_buffer) -> *const u8 {
    // SAFETY: as the caller says.
    guard_or(core::ptr::null(), || Some(unsafe { borrow(buffer, "buffer") }.ok()?.with_nul.as_ptr()))
}

/// The same as text, NUL-terminated; NULL for NULL. Valid as long as the buffer.
///
/// # Safety
/// `buffer` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_buffer_text(buffer: *const pulse_buffer) -> *const c_char {
    // SAFETY: as the caller says.
    guard_or(core::ptr::null(), || Some(unsafe { borrow(buffer, "buffer") }.ok()?.with_nul.as_ptr().cast()))
}

/// How many bytes there are, without the NUL; 0 for NULL.
///
/// # Safety
/// `buffer` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_buffer_len(buffer: *const pulse_buffer) -> usize {
    // SAFETY: as the caller says.
    guard_or(0, || Some(unsafe { borrow(buffer, "buffer") }.ok()?.with_nul.len().saturating_sub(1)))
}

/// Wipes and frees a buffer; NULL is nothing to free.
///
/// # Safety
/// `buffer` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_buffer_free(buffer: *mut pulse_buffer) {
    // SAFETY: as the caller says.
    unsafe { free(buffer) };
}
