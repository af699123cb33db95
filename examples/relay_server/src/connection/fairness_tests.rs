//! How much of a flood is handled before somebody else may run, in frames and not in time.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use pulse_trust::keys::TrustKeys;
use pulse_trust::relay::{Frame, FrameType};
use pulse_trust::session::RelayedEnd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::headers::MAX_FRAGMENTS;
use super::serve;
use crate::client_address::AddressKey;
use crate::config::Config;
use crate::link::Origin;
use crate::relay;

const FLOODERS: usize = 8;
/// Below the number of unforwarded frames that a connection may send, so no connection is ended for it.
const FRAMES: usize = 200;
/// How many frames make a turn; the last one may be answered in the next.
const MOST_OF_ONE: usize = 17;
/// How many reads make a turn; one more finds out that it is over.
const MOST_READS_OF_ONE: usize = 33;

/// Reads and answers of all floods.
type Counts = (Arc<AtomicUsize>, Arc<AtomicUsize>);

/// A client that always has one more frame, and takes every answer at once.
struct Flood {
    input: io::Cursor<Vec<u8>>,
    reads: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
}

impl Flood {
    fn new(counts: &Counts) -> Self {
        let ping = Frame::new(FrameType::Ping, 0, b"").encode().unwrap_or_default();
        // A client's message: binary, masked with zeros.
        let message = [&[0x82, 0x80 | 6, 0, 0, 0, 0][..], &ping].concat();
        Self::of(message.repeat(FRAMES), counts)
    }

    /// Messages in as many fragments as are taken, all but the first one empty.
    fn in_fragments(counts: &Counts) -> Self {
        let ping = Frame::new(FrameType::Ping, 0, b"").encode().unwrap_or_default();
        let first = [&[0x02, 0x80 | 6, 0, 0, 0, 0][..], &ping].concat();
        let fragments = [0x00, 0x80, 0, 0, 0, 0].repeat(usize::try_from(MAX_FRAGMENTS).unwrap_or_default() - 2);
        let message = [first, fragments, vec![0x80, 0x80, 0, 0, 0, 0]].concat();
        Self::of(message.repeat(FRAMES), counts)
    }

    fn of(input: Vec<u8>, (reads, answers): &Counts) -> Self {
        Self { input: io::Cursor::new(input), reads: Arc::clone(reads), answers: Arc::clone(answers) }
    }
}

impl AsyncRead for Flood {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.input).poll_read(context, into)
    }
}

impl AsyncWrite for Flood {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.answers.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Four connections that flooded stray frames slowed every other tenant 150-fold: each had its turn until its socket was
/// empty.
#[tokio::test]
async fn between_two_turns_of_a_neighbor_each_flooder_has_one() {
    let (_, most, answered) = flood(Flood::new).await;
    assert!(answered >= FLOODERS * FRAMES, "{answered} of {} frames were answered", FLOODERS * FRAMES);
    let allowed = FLOODERS * MOST_OF_ONE;
    assert!(most <= allowed, "{most} frames between two turns of a neighbor, at most {allowed} were expected");
}

/// A message in fragments was put together in one turn, however many of them came: two connections that sent empty ones
/// kept every other one waiting for seconds.
#[tokio::test]
async fn a_turn_ends_inside_a_message_too() {
    let (most, _, answered) = flood(Flood::in_fragments).await;
    assert!(answered >= FLOODERS * FRAMES, "{answered} of {} frames were answered", FLOODERS * FRAMES);
    let allowed = FLOODERS * MOST_READS_OF_ONE;
    assert!(most <= allowed, "{most} reads between two turns of a neighbor, at most {allowed} were expected");
}

/// The most reads and the most answers between two turns of a neighbor of eight floods, and the number of all answers.
async fn flood(flood: impl Fn(&Counts) -> Flood) -> (usize, usize, usize) {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::on_loopback(TrustKeys::default(), directory.path());
    let shared = relay::prepare(&config, None).unwrap().0;
    let counts = Counts::default();
    // It comes first and is a task, because what the runtime itself waits for gets its turn less often.
    let neighbor = tokio::spawn(neighbor(counts.clone()));
    let slots = Arc::new(Semaphore::new(FLOODERS));
    let mut floods = JoinSet::new();
    for _ in 0..FLOODERS {
        let (shared, flood) = (Arc::clone(&shared), flood(&counts));
        let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
        let address = AddressKey::from(std::net::IpAddr::from([127, 0, 0, 1]));
        let origin = Origin { address, host: "h".into(), slot: slot.into() };
        floods.spawn(async move { serve(&shared, RelayedEnd::App, origin, flood, Vec::new()).await });
    }
    neighbor.await.unwrap()
}

/// Takes a turn whenever it can, until everything is answered.
async fn neighbor((reads, answers): Counts) -> (usize, usize, usize) {
    let (mut most_reads, mut reads_before) = (0, 0);
    let (mut most, mut before) = (0, 0);
    // Many more turns than a flood without end would take.
    for _ in 0..100_000 {
        next_turn().await;
        let now = reads.load(Ordering::Relaxed);
        most_reads = most_reads.max(now.saturating_sub(reads_before));
        reads_before = now;
        let now = answers.load(Ordering::Relaxed);
        most = most.max(now.saturating_sub(before));
        before = now;
        if before >= FLOODERS * FRAMES {
            break;
        }
    }
    (most_reads, most, before)
}

/// Goes to the end of the queue. A task that yields to the runtime instead waits until the queue is empty.
async fn next_turn() {
    let mut is_over = false;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut is_over, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
