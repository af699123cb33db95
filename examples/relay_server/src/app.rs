//! An app's connection: CONNECT, then frames.

use std::sync::Arc;

use pulse_trust::relay::{ChannelClose, ChannelOpen, Connect, ControlPayload, Frame, FrameType, WireErrorCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;

use crate::connection::{Connection, Event};
use crate::instance::forward;
use crate::registry::{Link, connect, disconnect, disconnect_all};
use crate::server::Shared;

/// After so many CONNECTs that failed, a connection is closed.
const MAX_FAILURES: u32 = 16;

pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(shared: &Arc<Shared>, mut connection: Connection<S>) {
    let link = Link::of_app(Arc::clone(connection.outbox()));
    shared.metrics.app_connections.inc();
    let end = pump(shared, &mut connection, &link).await;
    shared.metrics.app_connections.dec();
    disconnect_all(&link, "the app is gone", &shared.metrics);
    if connection.has_overflowed() {
        shared.metrics.slow_consumers.inc();
    }
    match end {
        Event::Drain => connection.end_with_drain().await,
        _ => connection.end().await,
    }
}

async fn pump<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    connection: &mut Connection<S>,
    link: &Arc<Link>,
) -> Event {
    let mut failures: u32 = 0;
    let mut event = connection.first(shared.limits.hello_timeout).await;
    loop {
        let bytes = match event {
            Event::Frame(bytes) => bytes,
            end => return end,
        };
        let Ok(frame) = Frame::decode(&bytes) else {
            link.outbox.send_error(WireErrorCode::InternalError, "a frame could not be read");
            return Event::Closed;
        };
        match frame.frame_type {
            FrameType::Connect => {
                if let Err((code, message)) = open_channel(shared, link, &frame) {
                    shared.metrics.refusals.with_label_values(&[code.as_str()]).inc();
                    failures = failures.saturating_add(1);
                    if failures > MAX_FAILURES {
                        link.outbox.send_error(WireErrorCode::RateLimited, "too many refused CONNECTs");
                        return Event::Closed;
                    }
                    link.outbox.send_error(code, message);
                }
            }
            FrameType::Data | FrameType::KeyExchange => forward(shared, link, &frame),
            FrameType::ChannelClose => {
                if let Some(channel) = disconnect(link, frame.channel, &shared.metrics) {
                    let reason = ChannelClose::from_frame(&frame).map(|close| close.reason).unwrap_or_default();
                    let close = ChannelClose { channel_id: channel.peer_id, reason };
                    channel.peer.outbox.send_control(&close, channel.peer_id);
                }
            }
            _ => {
                let message = format!("{} is not for an app to send", frame.frame_type);
                link.outbox.send_error(WireErrorCode::InternalError, &message);
            }
        }
        event = connection.next().await;
    }
}

/// Offers the instance a channel; the app hears of it when the instance has answered.
fn open_channel(shared: &Arc<Shared>, app: &Arc<Link>, frame: &Frame<'_>) -> Result<(), (WireErrorCode, &'static str)> {
    let request = Connect::from_frame(frame).map_err(|_| (WireErrorCode::AuthFailed, "CONNECT could not be read"))?;
    let instance = shared
        .registry
        .find(&request.instance_id)
        .ok_or((WireErrorCode::InstanceNotFound, "this instance is not connected to the relay"))?;
    if instance.channel_count() >= shared.limits.channels_per_instance
        || app.channel_count() >= shared.limits.channels_per_app
    {
        return Err((WireErrorCode::ChannelLimitReached, "no more channels: close one first"));
    }
    let (app_channel, instance_channel) = connect(app, &instance);
    let open = ChannelOpen { channel_id: instance_channel, auth_token: request.auth_token };
    instance.outbox.send_control(&open, instance_channel);
    tokio::spawn(give_up(Arc::clone(shared), Arc::clone(app), app_channel));
    Ok(())
}

/// An instance that does not answer in time is as good as gone.
async fn give_up(shared: Arc<Shared>, app: Arc<Link>, id: u32) {
    sleep(shared.limits.accept_timeout).await;
    if app.channel(id).is_some_and(|channel| !channel.is_accepted)
        && let Some(channel) = disconnect(&app, id, &shared.metrics)
    {
        let close = ChannelClose { channel_id: channel.peer_id, reason: "not accepted in time".to_owned() };
        channel.peer.outbox.send_control(&close, channel.peer_id);
        app.outbox.send_error(WireErrorCode::InstanceNotFound, "the instance did not answer in time");
    }
}
