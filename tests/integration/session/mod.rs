//! The state machines of a conversation: each rule by itself, and both ends together under faults.

mod instance;
mod phone;
mod proof;
mod refresh_vectors;
mod simulation;

use core::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::relay::{ControlPayload, Frame, FrameType};
use pulse_trust::session::{CloseCode, ConnectionId, Now, Output};

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

/// What an end wants done, by kind.
struct Wanted<E> {
    urls: Vec<String>,
    frames: Vec<Vec<u8>>,
    closed: Vec<CloseCode>,
    events: Vec<E>,
}

impl<E> Wanted<E> {
    /// Takes outputs until there is none; the number of the latest connection goes to `latest`.
    fn take(latest: &mut u64, mut next: impl FnMut() -> Option<Output<E>>) -> Self {
        let mut wanted = Self { urls: Vec::new(), frames: Vec::new(), closed: Vec::new(), events: Vec::new() };
        while let Some(output) = next() {
            match output {
                Output::Connect { connection, url } => {
                    *latest = connection.as_u64();
                    wanted.urls.push(url);
                }
                Output::Send { message, .. } => wanted.frames.push(message),
                Output::Disconnect { code, .. } => wanted.closed.push(code),
                Output::Event(event) => wanted.events.push(event),
                _ => panic!("expected one of the outputs above"),
            }
        }
        wanted
    }
}
