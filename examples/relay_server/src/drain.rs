//! The relay goes down: nothing new is taken, what is under way is finished, and everyone is told.

use std::sync::Arc;
use std::time::Duration;

use pulse_trust::session::RelayedEnd;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

use crate::connection::{Ending, drain_frame};
use crate::link::Link;
use crate::shared::Shared;

/// How often it is looked whether all is answered.
const TICK: Duration = Duration::from_millis(20);
/// So long nothing was forwarded, and the relay counts as quiet.
const QUIET: Duration = Duration::from_millis(200);
/// The part of the time that is kept for last words and closes.
const FAREWELL_PART: u32 = 4;

/// Drains within `time`.
pub(crate) async fn run(shared: &Arc<Shared>, time: Duration) {
    let start = Instant::now();
    let end = start.checked_add(time).unwrap_or(start);
    shared.drain.cancel();
    shared.tasks.close();
    let links = shared.links.all();
    info!(connections = links.len(), "draining");
    let told = drain_frame();
    for link in &links {
        link.side().drain();
        if let Some(frame) = told.clone() {
            link.outbox.push_own(frame);
        }
    }
    let last_answer = time.checked_div(FAREWELL_PART).and_then(|farewell| end.checked_sub(farewell)).unwrap_or(start);
    wait_for_answers(shared, last_answer).await;
    for link in shared.links.all() {
        link.outbox.end(Ending::drained());
    }
    if timeout_at(end, shared.tasks.wait()).await.is_err() {
        warn!(connections = shared.tasks.len(), "connections were left when the drain timeout was over");
    }
}

/// Until every request is answered and nothing more comes, or the time is up.
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
        let is_waiting = |link: &Arc<Link>| {
            link.end == RelayedEnd::Instance && link.side().routes().any(|route| route.passage.is_waiting())
        };
        if changed_at.elapsed() >= QUIET && shared.memory.used() == 0 && !links.iter().any(is_waiting) {
            return;
        }
    }
}
