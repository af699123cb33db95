//! The end-to-end channel, for both sides

use core::ffi::c_char;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, borrow_mut, bytes, call, free, text};
use super::fault::{Fault, pulse_error, pulse_status};
use super::identity::pulse_identity;
use crate::keys::PublicKey;
use crate::relay::{AppHandshake, Channel, accept_key_exchange};

/// The app's side, between its KEY_EXCHANGE and the instance's. One thread at a time.
pub struct pulse_handshake {
    /// `None` once it was finished.
    handshake: Option<AppHandshake>,
}

/// One side of an established channel. One thread at a time.
pub struct pulse_channel {
    channel: Channel,
}

/// Starts a key exchange on the app's side: makes an ephemeral key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_handshake_start(
    out: *mut *mut pulse_handshake,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe { call(error, Out::new(out, "out"), || Ok(pulse_handshake { handshake: Some(AppHandshake::start()?) })) }
}

/// The payload of the app's KEY_EXCHANGE frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_handshake_message(
    handshake: *const pulse_handshake,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let handshake = borrow(handshake, "handshake")?.handshake.as_ref().ok_or(FINISHED)?;
            Ok(pulse_buffer::new(handshake.message()))
        })
    }
}

/// Takes the payload of the instance's KEY_EXCHANGE frame and gives the channel, if the identity of the pairing code
/// (`identity_public_key`, base64) signed it. A handshake can be finished once, whether that succeeds or not; it must
/// still be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_handshake_finish(
    handshake: *mut pulse_handshake,
    instance_message: *const u8,
    instance_message_len: usize,
    identity_public_key: *const c_char,
    identity_public_key_len: usize,
    out: *mut *mut pulse_channel,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let message = bytes(instance_message, instance_message_len, "instance_message")?;
            let identity = text(identity_public_key, identity_public_key_len, "identity_public_key")?;
            let handshake = borrow_mut(handshake, "handshake")?;
            let identity = PublicKey::from_base64(identity)?;
            let handshake = handshake.handshake.take().ok_or(FINISHED)?;
            Ok(pulse_channel { channel: handshake.finish(message, &identity)? })
        })
    }
}

const FINISHED: Fault = Fault::Argument("handshake", "it was finished before: start another one");

/// Wipes and frees a handshake; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_handshake_free(handshake: *mut pulse_handshake) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(handshake) };
}

/// The instance's side: takes the payload of the app's KEY_EXCHANGE frame, and gives the channel and the payload to
/// answer with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_channel_accept(
    identity: *const pulse_identity,
    app_message: *const u8,
    app_message_len: usize,
    out: *mut *mut pulse_channel,
    out_message: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (Out::new(out, "out"), Out::new(out_message, "out_message")), || {
            let app_message = bytes(app_message, app_message_len, "app_message")?;
            let (channel, message) = accept_key_exchange(app_message, &borrow(identity, "identity")?.identity)?;
            Ok((pulse_channel { channel }, pulse_buffer::new(message)))
        })
    }
}

/// Seals a message: the payload of a DATA frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_channel_seal(
    channel: *mut pulse_channel,
    plaintext: *const u8,
    plaintext_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let plaintext = bytes(plaintext, plaintext_len, "plaintext")?;
            Ok(pulse_buffer::taking(borrow_mut(channel, "channel")?.channel.seal(plaintext)?))
        })
    }
}

/// Opens the payload of a DATA frame. A message that is refused changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_channel_open(
    channel: *mut pulse_channel,
    sealed: *const u8,
    sealed_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let sealed = bytes(sealed, sealed_len, "sealed")?;
            Ok(pulse_buffer::taking(borrow_mut(channel, "channel")?.channel.open(sealed)?))
        })
    }
}

/// Wipes and frees a channel; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_channel_free(channel: *mut pulse_channel) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(channel) };
}
