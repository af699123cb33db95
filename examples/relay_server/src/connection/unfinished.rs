//! A message that has not arrived whole: what was read of it counts toward the memory of the process.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::OwnedSemaphorePermit;

use crate::memory::Memory;

/// What is read of a message is counted in steps of this size. Less than that is part of a connection's own buffer.
const STEP: usize = 4096;

type Waiting = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// What the message that is being read takes.
pub(super) struct Unfinished {
    memory: Arc<Memory>,
    held: Option<OwnedSemaphorePermit>,
    /// Waits for memory; until then nothing more is read.
    waiting: Option<Waiting>,
}

impl Unfinished {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        Self { memory, held: None, waiting: None }
    }

    /// The counted bytes, if there is a message of which some are counted or wait to be.
    pub(super) fn bytes(&self) -> Option<usize> {
        (self.held.is_some() || self.is_waiting()).then(|| self.held())
    }

    fn held(&self) -> usize {
        self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Ready when more may be read.
    pub(super) fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(waiting) = &mut self.waiting {
            let taken = ready!(waiting.as_mut().poll(context));
            self.waiting = None;
            self.hold(taken);
        }
        Poll::Ready(())
    }

    /// This many bytes of the message were read, and the rest has not arrived yet. True if the count has changed.
    pub(super) fn read(&mut self, bytes: usize, context: &mut Context<'_>) -> bool {
        if bytes < STEP {
            return false;
        }
        let counted = bytes.checked_next_multiple_of(STEP).unwrap_or(bytes);
        let Ok(more @ 1..) = u32::try_from(counted.saturating_sub(self.held())) else { return false };
        match self.memory.try_take(more) {
            Some(taken) => self.hold(Some(taken)),
            None => {
                let memory = Arc::clone(&self.memory);
                self.waiting = Some(Box::pin(async move { memory.take(more).await }));
                // The first look registers whom to wake.
                let _ = self.poll_room(context);
            }
        }
        true
    }

    /// The message is complete, or will never be. True if it was counted.
    pub(super) fn end(&mut self) -> bool {
        self.held.take().is_some()
    }

    fn hold(&mut self, taken: Option<OwnedSemaphorePermit>) {
        match (&mut self.held, taken) {
            (Some(held), Some(taken)) => held.merge(taken),
            (held, taken) => *held = taken,
        }
    }
}
