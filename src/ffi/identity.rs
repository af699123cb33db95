//! An instance's identity, which signs inside the library

use core::ffi::c_char;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, bytes, call, free, text};
use super::fault::{Fault, pulse_error, pulse_status};
use crate::relay::Identity;

/// The key pair by which a phone recognizes an instance.
pub struct pulse_identity {
    pub(super) identity: Identity,
}

/// Makes a new identity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_generate(
    out: *mut *mut pulse_identity,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe { call(error, Out::new(out, "out"), || Ok(pulse_identity { identity: Identity::generate()? })) }
}

/// The identity of a private key in base64, as `identity_private_key` of a relay config has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_from_private_key(
    private_key: *const c_char,
    private_key_len: usize,
    out: *mut *mut pulse_identity,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let identity = Identity::from_private_base64(text(private_key, private_key_len, "private_key")?)?;
            Ok(pulse_identity { identity })
        })
    }
}

/// The public key, standard base64: what a pairing code carries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_public_key(
    identity: *const pulse_identity,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            Ok(pulse_buffer::new(borrow(identity, "identity")?.identity.public_key().to_base64()))
        })
    }
}

/// The fingerprint that people compare: 32 upper-case hex pairs joined by `:`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_fingerprint(
    identity: *const pulse_identity,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            Ok(pulse_buffer::new(borrow(identity, "identity")?.identity.fingerprint()))
        })
    }
}

/// Signs an ephemeral X25519 key, which is 32 bytes long, and gives the 64 bytes of the signature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_sign_key_exchange(
    identity: *const pulse_identity,
    ephemeral_public_key: *const u8,
    ephemeral_public_key_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let identity = &borrow(identity, "identity")?.identity;
            let ephemeral = bytes(ephemeral_public_key, ephemeral_public_key_len, "ephemeral_public_key")?;
            let ephemeral =
                ephemeral.try_into().map_err(|_| Fault::Argument("ephemeral_public_key", "expected 32 bytes"))?;
            Ok(pulse_buffer::new(identity.sign_key_exchange(ephemeral)))
        })
    }
}

/// **Secret**: the private key in base64, to be sealed on disk in a relay config.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_secret_private_key(
    identity: *const pulse_identity,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let key = borrow(identity, "identity")?.identity.secret_private_key_base64();
            Ok(pulse_buffer::new(key.expose_secret()))
        })
    }
}

/// Wipes and frees an identity; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_identity_free(identity: *mut pulse_identity) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(identity) };
}
