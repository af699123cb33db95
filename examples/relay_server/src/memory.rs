//! One bound for data that waits to be sent and for messages that have not arrived whole, over all connections of the
//! process.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::sync::atomic::{AtomicUsize, Ordering};

/// What a queued frame costs beside its bytes: its place in the queue, which grows by doubling, its permits, and the
/// allocator's own.
const FRAME_OVERHEAD: usize = 192;

/// What a frame of this length costs while it waits.
pub(crate) fn cost(frame_len: usize) -> u32 {
    u32::try_from(frame_len.saturating_add(FRAME_OVERHEAD)).unwrap_or(u32::MAX)
}

/// The bytes that may wait in all queues, and in messages that have not arrived whole, together.
pub(crate) struct Memory {
    free: Arc<Semaphore>,
    limit: usize,
    waiting: AtomicUsize,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(limit)), limit, waiting: AtomicUsize::new(0) }
    }

    pub(crate) fn try_take(&self, cost: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(cost).ok()
    }

    pub(crate) async fn take(&self, cost: u32) -> Option<OwnedSemaphorePermit> {
        let _waiting = Waiting::new(&self.waiting);
        Arc::clone(&self.free).acquire_many_owned(cost).await.ok()
    }

    /// Bytes that wait.
    pub(crate) fn used(&self) -> usize {
        self.limit.saturating_sub(self.free.available_permits())
    }

    /// Whether a frame waits for others to be sent, or ended.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// How many bytes must become free before there is a comfortable margin again.
    pub(crate) fn excess(&self) -> usize {
        self.used().saturating_sub(self.limit.saturating_sub(self.limit.div_euclid(4)))
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
