//! An app asks for an instance.

use std::sync::Arc;

use pulse_trust::Secret;
use pulse_trust::relay::{ChannelOpen, Connect, WireErrorCode};
use pulse_trust::session::ChannelRefusal;
use tracing::info;

use crate::cluster::Cluster;
use crate::link::Link;
use crate::logging::cut;
use crate::passage::{Passage, Route};
use crate::shared::Shared;
use crate::story::Event;

/// The longest auth token that is passed on.
const MAX_AUTH_TOKEN_LEN: usize = 4096;

const NOT_CONNECTED: (WireErrorCode, &str) =
    (WireErrorCode::InstanceNotFound, "this instance is not connected to the relay");

/// Offers the instance a channel; the app is told when the instance has answered.
///
/// If there are other nodes and the instance is not on this one, the request is returned.
pub(crate) fn connect(shared: &Shared, app: &Arc<Link>, request: Connect) -> Option<Connect> {
    if shared.cluster.get().is_some()
        && shared.registry.find(&request.instance_id).is_none()
        && request.auth_token.expose_secret().len() <= MAX_AUTH_TOKEN_LEN
        && !shared.rates.load().refusals.is_blocked(&app.address)
    {
        return Some(request);
    }
    connect_here(shared, app, request);
    None
}

/// Offers the instance a channel, if it is on another node.
pub(crate) async fn connect_elsewhere(
    shared: &Arc<Shared>,
    cluster: &Arc<Cluster>,
    app: &Arc<Link>,
    request: &Connect,
) {
    let (code, message) = match cluster.connect_app(shared, app, request).await {
        Ok(true) => return,
        Ok(false) => NOT_CONNECTED,
        Err(refusal) => refusal,
    };
    refuse_logged(shared, app, &request.instance_id, code, message);
}

/// Offers the instance a channel, if it is on this node.
pub(crate) fn connect_here(shared: &Shared, app: &Arc<Link>, request: Connect) {
    let Connect { instance_id, auth_token, .. } = request;
    if let Err((code, message)) = offer(shared, app, &instance_id, auth_token) {
        refuse_logged(shared, app, &instance_id, code, message);
    }
}

fn refuse_logged(shared: &Shared, app: &Link, instance_id: &str, code: WireErrorCode, message: &str) {
    refuse(shared, app, code, message);
    shared.refusal_log.write(&shared.metrics, || {
        info!(code = code.as_str(), instance_id = cut(instance_id), "refused a CONNECT");
    });
}

/// Tells an app that its CONNECT was refused. That costs the app a try.
pub(crate) fn refuse(shared: &Shared, app: &Link, code: WireErrorCode, message: &str) {
    shared.metrics.refusals.with_label_values(&[code.as_str()]).inc();
    app.story.note(Event::ConnectRefused { code: code.as_str() });
    app.side().connect_refused(shared.elapsed());
    shared.rates.load().refusals.take(&app.address);
    app.outbox.push_error(code, message);
}

fn offer(
    shared: &Shared,
    app: &Arc<Link>,
    instance_id: &str,
    auth_token: Secret,
) -> Result<(), (WireErrorCode, &'static str)> {
    let wait = (WireErrorCode::RateLimited, "too many refused tries: wait, then try again");
    let rates = shared.rates.load();
    let found = shared.registry.find(instance_id);
    // Somebody who guesses behind the same NAT keeps out nobody who was let in from there, except from the instance
    // that is guessed at.
    let is_let_in = |instance: &Arc<Link>| {
        instance.is_known(app.address)
            && instance.instance_id().is_some_and(|id| !rates.neighbors.is_blocked(&(app.address, Arc::clone(id))))
    };
    if rates.refusals.is_blocked(&app.address) && !found.as_ref().is_some_and(is_let_in) {
        return Err(wait);
    }
    if auth_token.expose_secret().len() > MAX_AUTH_TOKEN_LEN {
        return Err((WireErrorCode::AuthFailed, "auth_token: at most 4096 bytes are allowed"));
    }
    let instance = found.ok_or(NOT_CONNECTED)?;
    if instance.outbox.is_told() {
        return Err((WireErrorCode::ServerDraining, "the relay node of this instance is going down"));
    }
    let instance_id = instance.instance_id().ok_or(NOT_CONNECTED)?;
    if rates.guesses.is_blocked(instance_id) && !instance.is_known(app.address) {
        return Err(wait);
    }
    if !rates.connects.take(instance_id) {
        shared.metrics.rate_limited.with_label_values(&["connects"]).inc();
        return Err((
            WireErrorCode::RateLimited,
            "too many connections to this instance at once: wait, then try again",
        ));
    }
    open_channel(shared, app, &instance, auth_token).map(drop)
}

/// Opens a channel between an app and an instance, either of which may stand for one on another node. Returns its id at the
/// instance.
pub(crate) fn open_channel(
    shared: &Shared,
    app: &Arc<Link>,
    instance: &Arc<Link>,
    auth_token: Secret,
) -> Result<u32, (WireErrorCode, &'static str)> {
    let now = shared.elapsed();
    app.side().check_room().map_err(full)?;
    let app_channel = app.side().next_channel();
    let passage = Passage::new(shared.config.load().limits.channel_bytes, shared.metrics.app_sessions.clone());
    let instance_channel = {
        let mut side = instance.side();
        side.check_room().map_err(full)?;
        let channel = side.next_channel();
        let route = Route { peer: Arc::clone(app), peer_channel: app_channel, passage: Arc::clone(&passage) };
        side.offer(channel, route, now);
        channel
    };
    let route = Route { peer: Arc::clone(instance), peer_channel: instance_channel, passage: Arc::clone(&passage) };
    app.side().offer(app_channel, route, now);
    let open = ChannelOpen::new(instance_channel, auth_token);
    if !instance.outbox.push_control(&open, instance_channel) {
        app.side().remove(app_channel);
        instance.side().remove(instance_channel);
        // The instance is leaving. If it has told the app itself, nobody else needs to.
        return if passage.close() { Err(NOT_CONNECTED) } else { Ok(instance_channel) };
    }
    Ok(instance_channel)
}

fn full(refusal: ChannelRefusal) -> (WireErrorCode, &'static str) {
    match refusal {
        ChannelRefusal::TooManyChannels => (WireErrorCode::ChannelLimitReached, "no more channels: close one first"),
        _ => (WireErrorCode::RateLimited, "too many connections wait for the instance's answer: try again"),
    }
}
