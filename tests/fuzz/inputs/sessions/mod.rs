//! Both ends of a conversation and the relay's view of a connection, told whatever the other side and the program can
//! think of, in any order: none panics, and each keeps what it promises.

mod instance;
mod phone;
mod relay_side;

use std::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::relay::{Frame, FrameType, Identity};
use pulse_trust::session::Now;

/// The first byte says which machine it is; the rest is what happens to it.
pub(crate) fn run(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let script = Script { rest, elapsed: Duration::ZERO };
    match which % 3 {
        0 => instance::run(script),
        1 => phone::run(script),
        _ => relay_side::run(script),
    }
}

/// What happens, as bytes.
struct Script<'a> {
    rest: &'a [u8],
    elapsed: Duration,
}

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// What happens next, after some time: up to a minute and a half, or none.
    fn step(&mut self) -> Option<u8> {
        let step = self.byte()?;
        let waited = if step >= 128 { Duration::from_millis(u64::from(self.byte()?) * 350) } else { Duration::ZERO };
        self.elapsed += waited;
        Some(step % 128)
    }

    /// Bytes behind their length.
    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte().unwrap_or_default()).min(self.rest.len());
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        bytes
    }

    /// A frame of any type on one of a few channels.
    fn frame(&mut self) -> Vec<u8> {
        let frame_type = FrameType::ALL[usize::from(self.byte().unwrap_or_default()) % FrameType::ALL.len()];
        let channel = u32::from(self.byte().unwrap_or_default() % 4);
        frame(frame_type, channel, self.bytes())
    }

    fn now(&self) -> Now {
        let wall = UnixTime::from_secs(1_774_440_000).saturating_add(self.elapsed);
        Now::new(self.elapsed, wall)
    }
}

fn frame(frame_type: FrameType, channel: u32, payload: &[u8]) -> Vec<u8> {
    Frame::new(frame_type, channel, payload).encode().expect("a short payload")
}

/// The instance's identity, the same in every run.
fn identity() -> Identity {
    Identity::from_private_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("a key")
}

/// What an end asks for when a moment has come must be done at once, or later, and not again and again.
fn assert_moves_on(deadline: Option<Duration>, now: Now) {
    assert!(deadline.is_none_or(|deadline| deadline > now.monotonic), "a moment that has passed is asked for again");
}
