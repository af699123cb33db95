//! A channel between an app and an instance, shared by both ends.

use std::sync::Arc;

use prometheus::IntGauge;
use pulse_trust::session::RelayedEnd;
use tokio::sync::Semaphore;

use crate::link::Link;
use crate::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// How one end of a channel reaches the other.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) peer: Arc<Link>,
    /// The channel's id on the other connection.
    pub(crate) peer_channel: u32,
    pub(crate) passage: Arc<Passage>,
}

const OFFERED: u8 = 0;
const OPEN: u8 = 1;
const CLOSED: u8 = 2;

/// What the two ends of a channel share: whether it is open, and how much may wait in it.
pub(crate) struct Passage {
    state: AtomicU8,
    to_app: Arc<Semaphore>,
    to_instance: Arc<Semaphore>,
    /// How many messages of the app came after the instance's last one.
    unanswered: AtomicU32,
    open_count: IntGauge,
}

impl Passage {
    /// A channel that was offered, in which `window` bytes may wait each way. `open_count` counts the open ones.
    pub(crate) fn new(window: usize, open_count: IntGauge) -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU8::new(OFFERED),
            to_app: Arc::new(Semaphore::new(window)),
            to_instance: Arc::new(Semaphore::new(window)),
            unanswered: AtomicU32::new(0),
            open_count,
        })
    }

    /// The instance accepted; false if the channel was open already or is closed.
    pub(crate) fn open(&self) -> bool {
        let opened = self.state.compare_exchange(OFFERED, OPEN, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if opened {
            self.open_count.inc();
        }
        opened
    }

    /// Closes it. Waiting senders are released. True for the first one that closes it, which tells the other end.
    pub(crate) fn close(&self) -> bool {
        let before = self.state.swap(CLOSED, Ordering::SeqCst);
        if before == OPEN {
            self.open_count.dec();
        }
        self.to_app.close();
        self.to_instance.close();
        before != CLOSED
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.load(Ordering::SeqCst) == OPEN
    }

    /// The bytes that may wait on the way to an end.
    pub(crate) fn window(&self, to: RelayedEnd) -> &Arc<Semaphore> {
        match to {
            RelayedEnd::App => &self.to_app,
            RelayedEnd::Instance => &self.to_instance,
        }
    }

    /// Notes that a message went through to an end.
    pub(crate) fn passed(&self, to: RelayedEnd) {
        let change = |count: u32| match to {
            RelayedEnd::Instance => Some(count.saturating_add(1)),
            RelayedEnd::App => count.checked_sub(1),
        };
        self.unanswered.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).ok();
    }

    /// Whether the app seems to wait for an answer. The relay cannot read messages, so it counts them.
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_open() && self.unanswered.load(Ordering::Relaxed) > 0
    }
}
