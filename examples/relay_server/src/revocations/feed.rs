//! Follows the feed: to its end before the relay serves, then at intervals. What it says is stored before it takes
//! effect.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};
use ureq::tls::RootCerts;

use super::events::{Event, Kept, MAX_SEQ};
use super::fetch::{self, FeedConfig};
use crate::enforcement;
use crate::logging::cut;
use crate::shared::Shared;

/// How many intervals without a read to the end make the feed stale.
const STALE_AFTER_INTERVALS: u32 = 3;
/// Between tries at the start.
const RETRY: Duration = Duration::from_secs(1);
/// How often to store that the feed was read if it had nothing new.
const READ_IS_KEPT: Duration = Duration::from_secs(60);

/// The feed, as far as it was read.
pub(crate) struct Feed {
    config: FeedConfig,
    roots: RootCerts,
    kept: Kept,
    /// When this process last read it to its end.
    read_at: Option<Instant>,
}

impl Feed {
    /// Puts into force what the data directory keeps of the feed; the feed itself is not read yet.
    ///
    /// # Errors
    /// If the stored list, or the file of the license server's authority, cannot be read.
    pub(crate) fn open(config: FeedConfig, data_dir: &std::path::Path, shared: &Shared) -> std::io::Result<Self> {
        let roots = config.roots()?;
        let kept = Kept::load(data_dir)?;
        shared.revocations.replace(kept.list());
        shared.metrics.feed_read_at.set(kept.read_at.unwrap_or_default());
        Ok(Self { config, roots, kept, read_at: None })
    }

    /// Reads it to its end, however often that has to be tried. If that fails, the stored list is enough if the settings say
    /// so.
    pub(crate) async fn catch_up(&mut self, shared: &Arc<Shared>) {
        let most = shared.config.load().limits.revocations_max_age;
        let mut is_told = false;
        while !self.try_read(shared).await {
            let age = self.kept.age(shared.clock.now());
            if age.is_some_and(|age| age < most) {
                shared.metrics.revocation_feed_stale.set(1);
                warn!(?age, "the relay serves with the revocations that it has kept, until the feed can be read");
                return;
            }
            if !is_told {
                let what = "the relay does not serve before the revocation feed was read: what is kept is older than PULSE_RELAY_REVOCATIONS_MAX_AGE, or not whole";
                warn!(?age, ?most, "{what}");
                is_told = true;
            }
            sleep(RETRY).await;
        }
        info!(next_seq = self.kept.next_seq, "the revocation feed was read to its end");
    }

    /// Reads it at intervals until the relay drains.
    pub(crate) async fn follow(mut self, shared: Arc<Shared>) {
        let interval = shared.config.load().limits.revocation_interval;
        let most = interval.saturating_mul(STALE_AFTER_INTERVALS);
        loop {
            tokio::select! {
                () = shared.drain.cancelled() => return,
                () = sleep(interval) => {}
            }
            let read = tokio::select! {
                () = shared.drain.cancelled() => return,
                read = self.try_read(&shared) => read,
            };
            let is_stale = !read && self.read_at.is_none_or(|read_at| read_at.elapsed() >= most);
            shared.metrics.revocation_feed_stale.set(i64::from(is_stale));
        }
    }

    async fn try_read(&mut self, shared: &Arc<Shared>) -> bool {
        match self.read_to_end(shared).await {
            Ok(()) => {
                self.read_at = Some(Instant::now());
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
        let mut is_anew = false;
        loop {
            let since = self.kept.next_seq;
            let answer = fetch::read(&self.config, &self.roots, since).await?;
            let next = answer.next_seq;
            if next < since && !is_anew {
                warn!(
                    since,
                    next,
                    "the revocation feed went back, as after a restored backup: it is read from its beginning, and what it said stays in force"
                );
                // Other events may come under numbers that were used before.
                is_anew = true;
                self.kept.begin_anew();
                self.save(shared);
                continue;
            }
            if next < since || (answer.has_more && next == since) {
                return Err(format!("expected next_seq above {since}, received {next}"));
            }
            if next > MAX_SEQ {
                return Err(format!("expected next_seq of at most {MAX_SEQ}, received {next}"));
            }
            let events = read_events(answer.events, shared);
            let has_news = next != since || !events.is_empty();
            let now = shared.clock.now();
            let is_kept = answer.has_more || self.kept.age(now).is_some_and(|age| age < READ_IS_KEPT);
            self.kept.next_seq = next;
            self.kept.add(events);
            if has_news || !is_kept {
                if !answer.has_more {
                    self.kept.read_at = Some(now.as_secs());
                }
                self.save(shared);
            }
            if has_news {
                shared.revocations.replace(self.kept.list());
                enforcement::end_revoked(shared);
            }
            if !answer.has_more {
                return Ok(());
            }
        }
    }

    fn save(&self, shared: &Shared) {
        if let Err(error) = self.kept.save() {
            shared.metrics.state_write_failures.inc();
            error!(%error, "the revocations could not be kept: after a restart they are read again");
        }
    }
}

/// The events of a page that revoke something. The others are counted and logged, each with its number if it has one.
fn read_events(values: Vec<Value>, shared: &Shared) -> Vec<Event> {
    let mut events = Vec::new();
    for value in values {
        let seq = value.get("seq").map(Value::to_string);
        match Event::read(value) {
            Ok(event) => events.push(event),
            Err(reason) => {
                shared.metrics.revocation_bad_events.inc();
                let seq = seq.as_deref().map(cut);
                error!(reason, seq, "an event of the revocation feed revokes nothing");
            }
        }
    }
    events
}
