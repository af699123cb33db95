//! Live sessions end with their credential, and queues that fill the process's memory are emptied.

use std::sync::Arc;
use std::time::Duration;

use pulse_trust::Error;
use pulse_trust::relay::{Revocations, WireErrorCode};
use tokio::time::{Instant, sleep};
use tracing::{error, warn};

use crate::connection::Ending;
use crate::routing;
use crate::shared::Shared;

/// How often the time is compared; a session ends within a second of its credential.
const TICK: Duration = Duration::from_millis(500);
/// How long a stranger's large message may take to arrive while memory is short.
const UNFINISHED: Duration = Duration::from_secs(1);
/// How often unused token buckets are dropped.
const SWEEP: Duration = Duration::from_secs(10);

/// Enforces until the relay drains.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut swept_at = Instant::now();
    loop {
        tokio::select! {
            () = shared.drain.cancelled() => return,
            () = sleep(TICK) => {}
        }
        end_expired(&shared);
        relieve(&shared);
        if swept_at.elapsed() >= SWEEP {
            shared.rates.load().sweep();
            shared.paces.sweep(shared.elapsed());
            keep_directory(&shared);
            swept_at = Instant::now();
        }
    }
}

/// Keeps the data directory as a restart needs it: it may have been deleted, and put back.
fn keep_directory(shared: &Shared) {
    let data_dir = &shared.at_start.data_dir;
    // The lock comes first: what another relay has written since must not be touched.
    if let Err(error) = shared.directory.keep(data_dir).and_then(|()| shared.session_key.keep(data_dir)) {
        shared.metrics.state_write_failures.inc();
        error!(%error, "the data directory is not as a restart needs it");
    }
    shared.registry.keep_journal();
}

/// Ends the sessions whose credential's time is over.
fn end_expired(shared: &Shared) {
    let now = shared.clock.now();
    for link in shared.registry.expired(now) {
        let Some(live) = link.live().filter(|live| live.expires_at <= now) else { continue };
        let ending = if live.is_lifetime {
            Ending::error(1008, WireErrorCode::AuthFailed, "the session has ended: register afresh")
        } else {
            let at = live.expires_at.as_secs();
            let message = format!("the credential expired at {at}: register with a newer one");
            Ending::error(1008, WireErrorCode::LicenseExpired, &message)
        };
        shared.metrics.ended_expired.inc();
        link.outbox.end(Ending { sends_rest: false, ..ending });
    }
}

/// Ends the sessions that the revocations in force name.
pub(crate) fn end_revoked(shared: &Shared) {
    let list = shared.revocations.current();
    for link in shared.registry.links() {
        if let Some(what) = link.live().and_then(|live| list.revoked(&live.subject)) {
            shared.metrics.ended_revoked.inc();
            let message = Error::revoked(what).to_string();
            link.outbox
                .end(Ending { sends_rest: false, ..Ending::error(1008, WireErrorCode::LicenseInvalid, &message) });
        }
    }
}

/// If something waits for the process's memory, ends what takes it.
fn relieve(shared: &Shared) {
    if shared.arriving.is_exhausted() {
        end_unfinished(shared);
    }
    if shared.memory.is_exhausted() {
        end_fullest(shared);
    }
}

/// Ends connections whose message stopped half way: all those that have neither registered nor been accepted, and as
/// many of the others as needed.
fn end_unfinished(shared: &Shared) {
    let stall_timeout = shared.config.load().limits.stall_timeout;
    let mut excess = shared.arriving.excess();
    let mut ended = 0_u32;
    for link in shared.links.all() {
        let Some(unfinished) = link.unfinished() else { continue };
        let age = unfinished.since.elapsed();
        let is_known = link.instance_id().is_some() || link.side().routes().next().is_some();
        if if is_known { excess == 0 || age < stall_timeout } else { age < UNFINISHED } {
            continue;
        }
        excess = excess.saturating_sub(unfinished.bytes);
        ended = ended.saturating_add(1);
        let message = "a message did not arrive whole, and the memory for it is needed";
        let ending = Ending::error(1008, WireErrorCode::RateLimited, message);
        link.outbox.end(Ending { sends_rest: false, ..ending });
    }
    warn!(ended, "messages that are not whole filled the memory set for them: connections were ended");
}

/// Ends the channels with the most waiting data, until enough memory is free.
fn end_fullest(shared: &Shared) {
    let mut fullest: Vec<_> = shared
        .links
        .all()
        .into_iter()
        .flat_map(|link| {
            let waiting = link.outbox.waiting_by_channel();
            waiting.into_iter().map(move |(channel, bytes)| (bytes, channel, Arc::clone(&link)))
        })
        .collect();
    fullest.sort_by_key(|(bytes, ..)| std::cmp::Reverse(*bytes));
    let mut excess = shared.memory.excess();
    let mut ended = 0_u32;
    for (bytes, channel, receiver) in fullest {
        if excess == 0 {
            break;
        }
        excess = excess.saturating_sub(bytes);
        ended = ended.saturating_add(1);
        let route = receiver.side().route(channel);
        match route {
            Some(route) => {
                let (peer, peer_channel) = (Arc::clone(&route.peer), route.peer_channel);
                let to_receiver =
                    crate::passage::Route { peer: receiver, peer_channel: channel, passage: route.passage };
                routing::end_stalled(shared, &peer, peer_channel, &to_receiver);
            }
            // The channel is gone already, and its last frames are not read.
            None => routing::dropped(shared, "stalled", receiver.outbox.discard(channel)),
        }
    }
    warn!(ended, "queues filled the memory set for them: the channels in which most waited were ended");
}
