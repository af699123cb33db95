//! Follows the feed: to its end before the relay serves, then at intervals. What it says is kept before it is in force.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use super::events::{Event, Kept};
use super::fetch::{self, FeedConfig};
use crate::enforcement;
use crate::shared::Shared;

/// So many intervals without a read to the end make the feed stale.
const STALE_AFTER_INTERVALS: u32 = 3;
/// Between tries at the start.
const RETRY: Duration = Duration::from_secs(1);

/// The feed, as far as it was read.
pub(crate) struct Feed {
    config: FeedConfig,
    kept: Kept,
    read_at: Instant,
}

impl Feed {
    /// What the data directory keeps of the feed comes into force; it is not read yet.
    ///
    /// # Errors
    /// Where the kept list cannot be read.
    pub(crate) fn open(config: FeedConfig, data_dir: &std::path::Path, shared: &Shared) -> std::io::Result<Self> {
        let kept = Kept::load(data_dir)?;
        shared.revocations.replace(kept.list());
        Ok(Self { config, kept, read_at: Instant::now() })
    }

    /// Reads it to its end, however often that has to be tried.
    pub(crate) async fn catch_up(&mut self, shared: &Arc<Shared>) {
        while !self.try_read(shared).await {
            sleep(RETRY).await;
        }
        info!(next_seq = self.kept.next_seq, "the revocation feed was read to its end");
    }

    /// Reads it at intervals until the relay drains.
    pub(crate) async fn follow(mut self, shared: Arc<Shared>) {
        let interval = shared.config.load().limits.revocation_interval;
        loop {
            tokio::select! {
                () = shared.drain.cancelled() => return,
                () = sleep(interval) => {}
            }
            let read = tokio::select! {
                () = shared.drain.cancelled() => return,
                read = self.try_read(&shared) => read,
            };
            let is_stale = !read && self.read_at.elapsed() >= interval.saturating_mul(STALE_AFTER_INTERVALS);
            shared.metrics.revocation_feed_stale.set(i64::from(is_stale));
        }
    }

    async fn try_read(&mut self, shared: &Arc<Shared>) -> bool {
        match self.read_to_end(shared).await {
            Ok(()) => {
                self.read_at = Instant::now();
                shared.metrics.feed_read_at.set(shared.clock.now().as_secs());
                true
            }
            Err(error) => {
                shared.metrics.revocation_failures.inc();
                warn!(%error, "the revocation feed could not be read: what it said before stays in force");
                false
            }
        }
    }

    async fn read_to_end(&mut self, shared: &Arc<Shared>) -> Result<(), String> {
        loop {
            let since = self.kept.next_seq;
            let answer = fetch::read(&self.config, since).await?;
            if answer.next_seq < since || (answer.has_more && answer.next_seq == since) {
                return Err(format!("expected next_seq above {since}, received {}", answer.next_seq));
            }
            let has_news = answer.next_seq != since;
            let mut events = Vec::new();
            for value in answer.events {
                match Event::read(value) {
                    Ok(event) => events.push(event),
                    Err(reason) => {
                        shared.metrics.revocation_bad_events.inc();
                        error!(reason, before = answer.next_seq, "an event of the revocation feed revokes nothing");
                    }
                }
            }
            if has_news || !events.is_empty() {
                self.kept.next_seq = answer.next_seq;
                self.kept.add(events);
                if let Err(error) = self.kept.save() {
                    shared.metrics.state_write_failures.inc();
                    error!(%error, "the revocations could not be kept: after a restart they are read again");
                }
                shared.revocations.replace(self.kept.list());
                enforcement::end_revoked(shared);
            }
            if !answer.has_more {
                return Ok(());
            }
        }
    }
}
