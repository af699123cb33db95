//! The relay goes down: nothing new is accepted, requests in progress are finished, and every peer is told.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use pulse_trust::session::RelayedEnd;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::{info, warn};

use crate::connection::Ending;
use crate::link::Link;
use crate::shared::Shared;

/// How often to check whether everything is answered.
const TICK: Duration = Duration::from_millis(20);
/// The relay counts as quiet if nothing was forwarded for this long.
const QUIET: Duration = Duration::from_millis(200);
/// The part of the time over which peers are told, if there are other nodes to go to.
const SPREAD_PART: u32 = 2;
/// The part of the time that is kept for last messages and closes.
const FAREWELL_PART: u32 = 4;

/// Drains within `time`.
pub(crate) async fn run(shared: &Arc<Shared>, time: Duration) {
    let start = Instant::now();
    let end = start.checked_add(time).unwrap_or(start);
    shared.drain.cancel();
    shared.tasks.close();
    let links = shared.links.all();
    info!(connections = links.len(), "draining");
    if let Some(cluster) = shared.cluster.get() {
        cluster.drain().await;
    }
    tell(shared, links, time.checked_div(SPREAD_PART).unwrap_or_default()).await;
    let last_answer = time.checked_div(FAREWELL_PART).and_then(|farewell| end.checked_sub(farewell)).unwrap_or(start);
    wait_for_answers(shared, last_answer).await;
    for link in shared.links.all() {
        link.outbox.end(Ending::drained());
    }
    if timeout_at(end, shared.tasks.wait()).await.is_err() {
        warn!(connections = shared.tasks.len(), "connections were left when the drain timeout was over");
    }
    // The process may end next, and answers to other nodes may still be with the NATS client.
    if let Some(cluster) = shared.cluster.get() {
        cluster.flush().await;
    }
    // What could not be written before may be by now.
    shared.registry.keep_journal();
    shared.directory.release();
}

/// Tells every peer and, if there are other nodes, which of them to go to. The order follows from the ids and is spread over
/// time, so that not all peers arrive there at the same moment.
async fn tell(shared: &Shared, links: Vec<Arc<Link>>, spread: Duration) {
    let mut ordered: Vec<_> = links.into_iter().map(|link| (hash(&link), link)).collect();
    ordered.sort_by_key(|(hash, _)| *hash);
    let start = Instant::now();
    let count = u32::try_from(ordered.len()).unwrap_or(u32::MAX);
    for (number, (hash, link)) in (0_u32..).zip(ordered) {
        let url = shared.cluster.get().and_then(|cluster| cluster.living_url(hash));
        if url.is_some() {
            let turn = spread.checked_mul(number).and_then(|time| time.checked_div(count)).unwrap_or_default();
            let at = start.checked_add(turn).unwrap_or(start);
            if at.saturating_duration_since(Instant::now()) >= TICK {
                sleep_until(at).await;
            }
        }
        // An app that was told sends no more frames: the rules would count them as frames on no channel, of which only a few
        // are allowed.
        if link.end == RelayedEnd::Instance {
            link.side().drain();
        }
        link.outbox.push_drain(url.as_deref().unwrap_or_default());
    }
}

fn hash(link: &Link) -> u64 {
    let mut hasher = DefaultHasher::new();
    match link.instance_id() {
        Some(instance_id) => instance_id.hash(&mut hasher),
        None => link.address.hash(&mut hasher),
    }
    hasher.finish()
}

/// Waits until every request is answered and nothing more arrives, or the time is up.
async fn wait_for_answers(shared: &Shared, until: Instant) {
    let (mut seen, mut changed_at) = (shared.metrics.forwarded_frames.get(), Instant::now());
    while Instant::now() < until {
        sleep(TICK).await;
        let forwarded = shared.metrics.forwarded_frames.get();
        if forwarded != seen {
            (seen, changed_at) = (forwarded, Instant::now());
        }
        let links = shared.links.all();
        if links.is_empty() {
            return;
        }
        // An app's, too: its instance may be on another node.
        let is_waiting = |link: &Arc<Link>| link.side().routes().any(|route| route.passage.is_waiting());
        if changed_at.elapsed() >= QUIET && shared.memory.used() == 0 && !links.iter().any(is_waiting) {
            return;
        }
    }
}
