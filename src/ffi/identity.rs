//! An instance's identity over the line. It signs inside the library.

use core::ffi::c_char;

use super::buffer::pulse_buffer;
use super::call::{Out, array, borrow, free, guard, text};
use super::error::{pulse_error, pulse_status};
use crate::relay::Identity;

/// The key pair by which a phone knows an instance again.
pub struct pulse_identity {
    pub(super) identity: Identity,
}

/// Makes a new identity.
///
/// # Safety
/// `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_generate(
    out: *mut *mut pulse_identity,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            out.give(pulse_identity { identity: Identity::generate()? });
            Ok(())
        })
    }
}

/// The identity of a private key in base64, as `identity_private_key` of a relay config has it.
///
/// # Safety
/// `private_key` is valid for `private_key_len` bytes; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_from_private_key(
    private_key: *const c_char,
    private_key_len: usize,
    out: *mut *mut pulse_identity,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            let identity = Identity::from_private_base64(text(private_key, private_key_len, "private_key")?)?;
            out.give(pulse_identity { identity });
            Ok(())
        })
    }
}

/// The public key, standard base64: what a pairing code carries.
///
/// # Safety
/// `identity` is NULL or live; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_public_key(
    identity: *const pulse_identity,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            out.give_bytes(borrow(identity, "identity")?.identity.public_key().to_base64());
            Ok(())
        })
    }
}

/// The fingerprint that people compare: 32 upper-case hex pairs joined by `:`.
///
/// # Safety
/// `identity` is NULL or live; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_fingerprint(
    identity: *const pulse_identity,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            out.give_bytes(borrow(identity, "identity")?.identity.fingerprint());
            Ok(())
        })
    }
}

/// Signs the 32 bytes of an ephemeral X25519 key into the 64 bytes at `out_signature`.
///
/// # Safety
/// `identity` is NULL or live; `ephemeral_public_key` is NULL or valid for 32 bytes, `out_signature` for a write of 64;
/// `error` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_sign_key_exchange(
    identity: *const pulse_identity,
    ephemeral_public_key: *const u8,
    out_signature: *mut u8,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out_signature.cast::<[u8; 64]>(), "out_signature")?;
            let ephemeral = array::<32>(ephemeral_public_key, "ephemeral_public_key")?;
            out.put(borrow(identity, "identity")?.identity.sign_key_exchange(ephemeral));
            Ok(())
        })
    }
}

/// **Secret**: the private key in base64, to be sealed on disk in a relay config.
///
/// # Safety
/// `identity` is NULL or live; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_secret_private_key(
    identity: *const pulse_identity,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            out.give_bytes(
                borrow(identity, "identity")?.identity.secret_private_key_base64().expose_secret().as_bytes(),
            );
            Ok(())
        })
    }
}

/// Wipes and frees an identity; NULL is nothing to free.
///
/// # Safety
/// `identity` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_free(identity: *mut pulse_identity) {
    // SAFETY: as the caller says.
    unsafe { free(identity) };
}
