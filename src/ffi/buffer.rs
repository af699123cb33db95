//! Bytes and texts that the library returns

use core::ffi::c_char;

use super::call::{free, read};
use crate::secret::wipe;

/// Bytes or UTF-8 text that the caller owns, followed by a NUL that is not counted. Free it with `pulse_buffer_free`,
/// which wipes it: it may hold a secret.
pub struct pulse_buffer {
    with_nul: Vec<u8>,
}

impl pulse_buffer {
    pub(super) fn new(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut with_nul = Vec::with_capacity(bytes.len().saturating_add(1));
        with_nul.extend_from_slice(bytes);
        with_nul.push(0);
        Self { with_nul }
    }

    /// Takes bytes over without a copy where there is room for the NUL.
    pub(super) fn taking(mut bytes: Vec<u8>) -> Self {
        if bytes.capacity() > bytes.len() {
            bytes.push(0);
            return Self { with_nul: bytes };
        }
        let copy = Self::new(&bytes);
        wipe(&mut bytes);
        copy
    }
}

impl Drop for pulse_buffer {
    fn drop(&mut self) {
        // What was longer once is wiped to its end.
        let capacity = self.with_nul.capacity();
        self.with_nul.resize(capacity, 0);
        wipe(&mut self.with_nul);
    }
}

/// The bytes; NULL for NULL. Valid as long as the buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_buffer_data(buffer: *const pulse_buffer) -> *const u8 {
    // SAFETY: the pointer contract of this module.
    unsafe { read(buffer, core::ptr::null(), |buffer| buffer.with_nul.as_ptr()) }
}

/// The same as text, NUL-terminated; NULL for NULL. Valid as long as the buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_buffer_text(buffer: *const pulse_buffer) -> *const c_char {
    // SAFETY: the pointer contract of this module.
    unsafe { read(buffer, core::ptr::null(), |buffer| buffer.with_nul.as_ptr().cast()) }
}

/// How many bytes there are, without the NUL; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_buffer_len(buffer: *const pulse_buffer) -> usize {
    // SAFETY: the pointer contract of this module.
    unsafe { read(buffer, 0, |buffer| buffer.with_nul.len().saturating_sub(1)) }
}

/// Wipes and frees a buffer; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_buffer_free(buffer: *mut pulse_buffer) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(buffer) };
}
