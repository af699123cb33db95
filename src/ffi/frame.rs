//! Frames

use super::buffer::pulse_buffer;
use super::call::{Out, bytes, call};
use super::fault::{pulse_error, pulse_status};
use crate::relay::{Frame, FrameType};

/// Builds a frame. `frame_type` is one of `PULSE_FRAME_...`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_frame_encode(
    frame_type: u8,
    channel: u32,
    payload: *const u8,
    payload_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let payload = bytes(payload, payload_len, "payload")?;
            Ok(pulse_buffer::taking(Frame::new(FrameType::from_code(frame_type)?, channel, payload).encode()?))
        })
    }
}

/// Reads a frame: its type, its channel, and where in `frame` its payload begins, which goes to the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_frame_decode(
    frame: *const u8,
    frame_len: usize,
    out_type: *mut u8,
    out_channel: *mut u32,
    out_payload_offset: *mut usize,
    error: *mut *mut pulse_error,
) -> pulse_status {
    let header = (Out::new(out_type, "out_type"), Out::new(out_channel, "out_channel"));
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (header, Out::new(out_payload_offset, "out_payload_offset")), || {
            let decoded = Frame::decode(bytes(frame, frame_len, "frame")?)?;
            let offset = frame_len.saturating_sub(decoded.payload.len());
            Ok(((decoded.frame_type.code(), decoded.channel), offset))
        })
    }
}
