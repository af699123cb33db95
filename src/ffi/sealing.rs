//! What else a runtime keeps under the directory's key

use core::ffi::c_char;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, bytes, call, text};
use super::data_dir::pulse_data_dir;
use super::fault::{Fault, pulse_error, pulse_status};

/// Seals bytes under the directory's key, in the form of its `*.enc` files: a nonce, then AES-256-GCM ciphertext and tag.
/// Nothing is written but the key file, which is made where there is none and nothing is sealed under a lost one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_seal(
    data_dir: *const pulse_data_dir,
    plaintext: *const u8,
    plaintext_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let data_dir = borrow(data_dir, "data_dir")?;
            let plaintext = bytes(plaintext, plaintext_len, "plaintext")?;
            let sealed = data_dir.with_lock(|locked| Ok(locked.seal(plaintext)?))?;
            Ok(pulse_buffer::taking(sealed))
        })
    }
}

/// Opens what was sealed under the directory's key: **secret** bytes. `name` is that of the file, for errors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_unseal(
    data_dir: *const pulse_data_dir,
    name: *const c_char,
    name_len: usize,
    sealed: *const u8,
    sealed_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let data_dir = borrow(data_dir, "data_dir")?;
            let name = text(name, name_len, "name")?;
            let sealed = bytes(sealed, sealed_len, "sealed")?;
            let opened = data_dir.with_lock(|locked| Ok(locked.unseal(name, sealed)?))?;
            Ok(pulse_buffer::new(opened.expose_secret()))
        })
    }
}

/// A **secret** key of 32 bytes for one purpose, derived from the directory's key by HKDF-SHA256 without a salt, the
/// purpose being the info. A shorter key is the beginning of this one. The directory's key is made as by
/// `pulse_data_dir_seal`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_derive_key(
    data_dir: *const pulse_data_dir,
    purpose: *const c_char,
    purpose_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let data_dir = borrow(data_dir, "data_dir")?;
            let purpose = text(purpose, purpose_len, "purpose")?;
            if purpose.is_empty() {
                return Err(Fault::Argument("purpose", "expected a text that is not empty"));
            }
            let derived = data_dir.with_lock(|locked| Ok(locked.derive_key(purpose)?))?;
            Ok(pulse_buffer::new(derived.expose_secret()))
        })
    }
}
