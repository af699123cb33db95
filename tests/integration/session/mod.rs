//! The state machines of a conversation: each rule by itself, and both ends together under faults.

mod instance;
mod phone;
mod proof;
mod refresh_vectors;
mod simulation;

use core::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::relay::{ControlPayload, Frame, FrameType};
use pulse_trust::session::{ConnectionId, Now};

const INSTANCE_ID: &str = "relay_2e1b0929e6fd7c52";
const WALL: i64 = 1_774_440_000;

fn at(seconds: u64) -> Now {
    let wall = UnixTime::from_secs(WALL + i64::try_from(seconds).unwrap());
    Now::new(Duration::from_secs(seconds), wall)
}

fn frame_of(message: &[u8]) -> Frame<'_> {
    Frame::decode(message).unwrap()
}

fn control<T: ControlPayload>(message: &[u8]) -> T {
    T::from_frame(&frame_of(message)).unwrap()
}

fn frame(frame_type: FrameType, channel: u32, payload: &[u8]) -> Vec<u8> {
    Frame::new(frame_type, channel, payload).encode().unwrap()
}

fn connection(number: u64) -> ConnectionId {
    ConnectionId::from_u64(number)
}
