//! Frames over the line.

use super::buffer::pulse_buffer;
use super::call::{Out, bytes, guard};
use super::error::{pulse_error, pulse_status};
use crate::relay::{Frame, FrameType};

/// Builds a frame. `frame_type` is the number of FORMATS 11, as 0x01 for REGISTER.
///
/// # Safety
/// `payload` is valid for `payload_len` bytes; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_frame_encode(
    frame_type: u8,
    channel: u32,
    payload: *const u8,
    payload_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            let payload = bytes(payload, payload_len, "payload")?;
            out.give_bytes(Frame::new(FrameType::from_code(frame_type)?, channel, payload).encode()?);
            Ok(())
        })
    }
}

/// Reads a frame: its type, its channel, and where in `frame` its payload begins; it goes to the end.
///
/// # Safety
/// `frame` is valid for `frame_len` bytes; the outputs and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_frame_decode(
    frame: *const u8,
    frame_len: usize,
    out_type: *mut u8,
    out_channel: *mut u32,
    out_payload_offset: *mut usize,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let frame_type = Out::new(out_type, "out_type")?;
            let channel = Out::new(out_channel, "out_channel")?;
            let offset = Out::new(out_payload_offset, "out_payload_offset")?;
            let frame = Frame::decode(bytes(frame, frame_len, "frame")?)?;
            frame_type.put(frame.frame_type.code());
            channel.put(frame.channel);
            offset.put(frame_len.saturating_sub(frame.payload.len()));
            Ok(())
        })
    }
}
