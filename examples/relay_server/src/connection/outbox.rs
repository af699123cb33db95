//! What waits to be sent on a connection: in order, counted at what it costs, and released once it is sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use pulse_trust::relay::{ControlPayload, Drain, ErrorMessage, Frame, WireErrorCode};
use pulse_trust::session::{RelayFault, cut_reason};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::memory::{Memory, cost};
use crate::passage::Passage;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, locked};
use pulse_trust::session::RelayedEnd;

/// Bytes of the relay's own frames that may wait: answers and closes, of which the rules allow few. More means that
/// the other end does not read.
const MAX_CONTROL_BYTES: usize = 256 * 1024;

/// How a connection ends.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// The WebSocket close code.
    pub(crate) close_code: u16,
    /// The last frame before it: ERROR or DRAIN.
    pub(crate) last_frame: Option<Bytes>,
    pub(crate) reason: String,
    /// Whether what waits is sent first.
    pub(crate) sends_rest: bool,
}

impl Ending {
    /// The other end went, or closed.
    pub(crate) fn gone() -> Self {
        Self { close_code: 1000, last_frame: None, reason: String::new(), sends_rest: false }
    }

    /// An ERROR frame, then the close.
    pub(crate) fn error(close_code: u16, code: WireErrorCode, message: &str) -> Self {
        let message = cut_reason(message);
        let last_frame = ErrorMessage::new(code, message).to_frame(0).ok().map(Bytes::from);
        Self { close_code, last_frame, reason: message.to_owned(), sends_rest: true }
    }

    /// The relay goes down, and accepts nothing new.
    pub(crate) fn draining() -> Self {
        Self::error(1001, WireErrorCode::ServerDraining, "the relay is going down: connect again")
    }

    /// The relay goes down.
    pub(crate) fn drained() -> Self {
        let reason = "the relay is going down".to_owned();
        Self { close_code: 1001, last_frame: None, reason, sends_rest: true }
    }
}

impl From<RelayFault> for Ending {
    fn from(fault: RelayFault) -> Self {
        Self::error(fault.close_code.as_u16(), fault.code, &fault.message)
    }
}

/// The DRAIN frame, with the URL to go to instead; if that is empty, the other end returns to the URL that it came
/// from.
fn drain_frame(url: &str) -> Option<Bytes> {
    let drain = Drain::new("the relay is going down", Some(url.to_owned()));
    drain.to_frame(0).ok().map(Bytes::from)
}

/// The room that a frame takes in the channel, in the connection's queue and in the process; released on drop.
#[derive(Debug)]
pub(crate) struct Room {
    _channel: OwnedSemaphorePermit,
    _connection: OwnedSemaphorePermit,
    _process: OwnedSemaphorePermit,
    since: Instant,
}

impl Room {
    /// How long ago it was taken, which is how long its frame has waited.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }
}

/// A frame that waits.
pub(crate) struct Queued {
    pub(crate) bytes: Bytes,
    /// `None` for the relay's own frames.
    pub(crate) room: Option<Room>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Queued>,
    control_bytes: usize,
    ending: Option<Ending>,
}

/// What a connection does next.
pub(crate) enum Outgoing {
    Frame(Queued),
    End(Ending),
}

/// Where frames for a connection are left.
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// The other end was told to go.
    is_told: AtomicBool,
    sender: AtomicWaker,
    room: Arc<Semaphore>,
    memory: Arc<Memory>,
}

impl Outbox {
    /// An outbox in which `limit` bytes of forwarded frames may wait.
    pub(crate) fn new(limit: usize, memory: Arc<Memory>) -> Self {
        let room = Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        let (queue, is_told) = (Mutex::default(), AtomicBool::new(false));
        Self { queue, is_told, sender: AtomicWaker::new(), room, memory }
    }

    /// Room for a forwarded frame, if there is some now.
    pub(crate) fn try_reserve(&self, passage: &Passage, to: RelayedEnd, frame_len: usize) -> Option<Room> {
        let cost = cost(frame_len);
        let channel = Arc::clone(passage.window(to)).try_acquire_many_owned(cost).ok()?;
        let connection = Arc::clone(&self.room).try_acquire_many_owned(cost).ok()?;
        let process = self.memory.try_take(cost)?;
        Some(Room { _channel: channel, _connection: connection, _process: process, since: Instant::now() })
    }

    /// Waits for room: senders to one connection take turns. `None` if the channel or the connection ends in the
    /// meantime.
    pub(crate) async fn reserve(&self, passage: &Passage, to: RelayedEnd, frame_len: usize) -> Option<Room> {
        let cost = cost(frame_len);
        let channel = Arc::clone(passage.window(to)).acquire_many_owned(cost).await.ok()?;
        let connection = Arc::clone(&self.room).acquire_many_owned(cost).await.ok()?;
        let process = self.memory.take(cost).await?;
        Some(Room { _channel: channel, _connection: connection, _process: process, since: Instant::now() })
    }

    /// Leaves a forwarded frame; false if the connection ends, or belongs to an instance that was told to go. Such an instance
    /// answers what it has; if it kept taking requests, it would never be quiet.
    pub(crate) fn push(&self, bytes: Bytes, room: Room, to: RelayedEnd) -> bool {
        let mut queue = locked(&self.queue);
        if queue.ending.is_some() || (self.is_told() && to == RelayedEnd::Instance) {
            return false;
        }
        queue.frames.push_back(Queued { bytes, room: Some(room) });
        drop(queue);
        self.sender.wake();
        true
    }

    /// Leaves a frame of the relay's own; false if the connection ends, or ends because of it.
    pub(crate) fn push_own(&self, bytes: impl Into<Bytes>) -> bool {
        let bytes = bytes.into();
        let mut queue = locked(&self.queue);
        if queue.ending.is_some() {
            return false;
        }
        queue.control_bytes = queue.control_bytes.saturating_add(bytes.len());
        let is_read = queue.control_bytes <= MAX_CONTROL_BYTES;
        if is_read {
            queue.frames.push_back(Queued { bytes, room: None });
        }
        drop(queue);
        if !is_read {
            self.end(Ending {
                sends_rest: false,
                ..Ending::error(1008, WireErrorCode::RateLimited, "you do not read")
            });
        }
        self.sender.wake();
        is_read
    }

    /// Leaves the DRAIN frame. No request of a phone follows it.
    pub(crate) fn push_drain(&self, url: &str) {
        let queue = locked(&self.queue);
        self.is_told.store(true, Ordering::SeqCst);
        drop(queue);
        if let Some(frame) = drain_frame(url) {
            self.push_own(frame);
        }
    }

    /// Whether the other end was told to go.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::SeqCst)
    }

    /// Leaves a control frame.
    pub(crate) fn push_control(&self, payload: &impl ControlPayload, channel: u32) -> bool {
        payload.to_frame(channel).is_ok_and(|frame| self.push_own(frame))
    }

    /// Leaves an ERROR frame.
    pub(crate) fn push_error(&self, code: WireErrorCode, message: &str) -> bool {
        self.push_control(&ErrorMessage::new(code, cut_reason(message)), 0)
    }

    /// Whether so many of the relay's own frames wait that nothing more is taken from this sender.
    pub(crate) fn is_backlogged(&self) -> bool {
        locked(&self.queue).control_bytes > MAX_CONTROL_BYTES / 4
    }

    /// Ends the connection; the first reason counts.
    pub(crate) fn end(&self, ending: Ending) {
        let mut queue = locked(&self.queue);
        if queue.ending.is_none() {
            if !ending.sends_rest {
                queue.frames = VecDeque::new();
            }
            queue.ending = Some(ending);
        }
        drop(queue);
        self.room.close();
        self.sender.wake();
    }

    pub(crate) fn is_ending(&self) -> bool {
        locked(&self.queue).ending.is_some()
    }

    /// Throws away what waits for a channel: it is ended because its reader is too slow.
    /// How many frames those were.
    pub(crate) fn discard(&self, channel: u32) -> usize {
        let mut queue = locked(&self.queue);
        let before = queue.frames.len();
        queue.frames.retain(|queued| {
            queued.room.is_none() || Frame::decode(&queued.bytes).is_ok_and(|frame| frame.channel != channel)
        });
        before.saturating_sub(queue.frames.len())
    }

    /// What waits in each channel, at what it costs.
    pub(crate) fn waiting_by_channel(&self) -> BTreeMap<u32, usize> {
        let mut waiting = BTreeMap::new();
        for queued in locked(&self.queue).frames.iter().filter(|queued| queued.room.is_some()) {
            if let Ok(frame) = Frame::decode(&queued.bytes) {
                let bytes = usize::try_from(cost(queued.bytes.len())).unwrap_or(usize::MAX);
                let sum: &mut usize = waiting.entry(frame.channel).or_default();
                *sum = sum.saturating_add(bytes);
            }
        }
        waiting
    }

    /// The next frame to send or, once everything before it is sent, how the connection ends.
    pub(crate) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Outgoing> {
        self.sender.register(context.waker());
        let mut queue = locked(&self.queue);
        if let Some(ending) = queue.ending.clone() {
            return Poll::Ready(Outgoing::End(ending));
        }
        match Self::pop(&mut queue) {
            Some(queued) => Poll::Ready(Outgoing::Frame(queued)),
            None => Poll::Pending,
        }
    }

    /// How the connection ends, while a frame is on its way.
    pub(crate) fn poll_ending(&self, context: &mut Context<'_>) -> Poll<Ending> {
        self.sender.register(context.waker());
        match locked(&self.queue).ending.clone() {
            Some(ending) => Poll::Ready(ending),
            None => Poll::Pending,
        }
    }

    /// What is left to be sent when the connection ends.
    pub(crate) fn take_rest(&self) -> Option<Queued> {
        Self::pop(&mut locked(&self.queue))
    }

    fn pop(queue: &mut Queue) -> Option<Queued> {
        let queued = queue.frames.pop_front()?;
        if queued.room.is_none() {
            queue.control_bytes = queue.control_bytes.saturating_sub(queued.bytes.len());
        }
        if queue.frames.is_empty() && queue.frames.capacity() > 4 {
            queue.frames = VecDeque::new();
        }
        Some(queued)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small frames once cost ten times the bytes that they were counted as.
    #[test]
    fn a_frame_takes_no_more_memory_than_it_is_counted_for() {
        for length in [0, 10, 300, 65_536] {
            let memory = Arc::new(Memory::new(usize::MAX));
            let outbox = Outbox::new(usize::MAX, Arc::clone(&memory));
            let passage = Passage::new(Semaphore::MAX_PERMITS, prometheus::IntGauge::new("a", "b").unwrap());
            let payload = vec![0; length];
            let taken = allocation_counter::measure(|| {
                for _ in 0..1000 {
                    let frame = Frame::new(pulse_trust::relay::FrameType::Data, 1, &payload).encode().unwrap();
                    let room = outbox.try_reserve(&passage, RelayedEnd::App, frame.len()).unwrap();
                    assert!(outbox.push(frame.into(), room, RelayedEnd::App));
                }
            });
            let (taken, counted) = (usize::try_from(taken.bytes_current).unwrap(), memory.used());
            assert!(taken <= counted && counted <= taken + 1000 * 200, "{length}: {taken} bytes, {counted} counted");
            assert_eq!(outbox.waiting_by_channel().into_iter().collect::<Vec<_>>(), [(1, counted)]);
            outbox.discard(1);
            assert_eq!(memory.used(), 0);
        }
    }

    #[test]
    fn what_a_reader_does_not_read_of_the_relays_own_frames_ends_it() {
        let outbox = Outbox::new(1024, Arc::new(Memory::new(1024)));
        let pushed = (0..10_000).take_while(|_| outbox.push_error(WireErrorCode::AuthFailed, &"x".repeat(300))).count();
        assert!((500..2000).contains(&pushed) && outbox.is_ending(), "{pushed}");
        assert!(outbox.take_rest().is_none(), "what it does not read is kept");
    }
}
