//! What a frame that passes costs its instance, its app and its address, under the limits that are set.

use std::time::Duration;

use pulse_trust::relay::{ErrorMessage, WireErrorCode};
use pulse_trust::session::RelayedEnd;
use tracing::info;

use crate::link::Link;
use crate::routing::Passing;
use crate::shared::Shared;
use crate::story::Event;

/// Notes a frame; returns how long its sender is not read now.
pub(crate) fn pace(shared: &Shared, sender: &Link, passing: &Passing) -> Duration {
    let config = shared.config.load();
    let limits = &config.limits;
    let (bytes, now) = (u64::try_from(passing.bytes.len()).unwrap_or(u64::MAX), shared.elapsed());
    let peer = &*passing.route.peer;
    let (instance, app) = match sender.end {
        RelayedEnd::Instance => (sender, peer),
        RelayedEnd::App => (peer, sender),
    };
    let by_instance = instance.throttle().take(bytes, limits.bytes_per_instance, now);
    let by_app = app.throttle().take(bytes, limits.bytes_per_app, now);
    let by_address = match limits.bytes_per_address {
        None => Duration::ZERO,
        rate => shared.paces.addresses.of(sender.address).take(bytes, rate, now),
    };
    by_instance.max(by_app).max(by_address)
}

/// Tells an instance once that it is slowed down, and counts it. A phone is slowed down too, but not told: deployed phones take
/// every ERROR as the end of the connection, which pacing is meant to avoid.
pub(crate) fn tell(shared: &Shared, sender: &Link, channel: u32) {
    shared.metrics.rate_limited.with_label_values(&["bytes"]).inc();
    sender.story.note(Event::SlowedDown);
    let instance_id = sender.instance_id().map(|id| &**id);
    shared.refusal_log.write(&shared.metrics, || {
        info!(instance_id, "a connection is slowed down to the bytes a second that are set")
    });
    if sender.end == RelayedEnd::Instance {
        let message = "more bytes a second than this relay passes on: the connection is read more slowly";
        // On the channel, because on channel 0 it would answer a renewal in progress.
        sender.outbox.push_control(&ErrorMessage::new(WireErrorCode::RateLimited, message), channel);
    }
}
