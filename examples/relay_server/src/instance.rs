//! An instance's connection: registration, then frames.

use std::sync::Arc;
use std::time::Duration;

use pulse_trust::relay::{
    ChannelClose, ConnectAck, ControlPayload, Frame, FrameType, Register, RegisterAck, WireErrorCode,
};
use pulse_trust::{Error, TokenKind, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tracing::{info, warn};

use crate::connection::{Connection, Event, on_channel};
use crate::registry::{Attached, Link, disconnect, disconnect_all};
use crate::server::Shared;
use crate::session_token::Session;

/// The longest identity key that is taken; any text, opaque to the relay.
const MAX_IDENTITY_LEN: usize = 256;
/// A session under a lifetime license is renewed by registering afresh after so long.
const LIFETIME_SESSION: Duration = Duration::from_secs(30 * 24 * 3600);

/// A registration that was decided on.
struct Registered {
    instance_id: String,
    identity: String,
    ack: RegisterAck,
}

/// Why not: the wire code and the words.
struct Refused(WireErrorCode, String);

pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(shared: &Shared, mut connection: Connection<S>) {
    let registered = match connection.first(shared.limits.hello_timeout).await {
        Event::Frame(bytes) => match register(shared, &bytes) {
            Ok(registered) => registered,
            Err(Refused(code, message)) => return refuse(shared, connection, code, &message).await,
        },
        Event::Drain => {
            return connection.end_with_error(WireErrorCode::ServerDraining, "the relay is going down").await;
        }
        Event::Closed => return connection.end().await,
    };
    let link = Link::of_instance(Arc::clone(connection.outbox()), &registered.instance_id);
    match shared.registry.attach(&registered.instance_id, &registered.identity, &link) {
        Attached::Duplicate => {
            let message = "another identity key holds this instance id: stop the other instance, or wait";
            return refuse(shared, connection, WireErrorCode::DuplicateInstance, message).await;
        }
        Attached::Held { replaced, identity_changed } => {
            if identity_changed {
                shared.metrics.identity_changes.inc();
                warn!("an instance id was taken over by another identity after the hold time");
            }
            if let Some(replaced) = replaced {
                replaced.outbox.close();
            }
        }
    }
    shared.metrics.instance_connections.inc();
    connection.outbox().send_control(&registered.ack, 0);
    let end = pump(shared, &mut connection, &link).await;
    shared.metrics.instance_connections.dec();
    shared.registry.detach(&registered.instance_id, &link);
    disconnect_all(&link, "the instance is gone", &shared.metrics);
    if connection.has_overflowed() {
        shared.metrics.slow_consumers.inc();
    }
    match end {
        Event::Drain => connection.end_with_drain().await,
        _ => connection.end().await,
    }
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    connection: Connection<S>,
    code: WireErrorCode,
    message: &str,
) {
    shared.metrics.refusals.with_label_values(&[code.as_str()]).inc();
    info!(code = code.as_str(), reason = message, "refused a registration");
    connection.end_with_error(code, message).await;
}

fn register(shared: &Shared, bytes: &[u8]) -> Result<Registered, Refused> {
    let auth_failed = |message: String| Refused(WireErrorCode::AuthFailed, message);
    let register = Frame::decode(bytes)
        .and_then(|frame| Register::from_frame(&frame))
        .map_err(|error| auth_failed(format!("the first frame must be REGISTER: {error}")))?;
    if register.identity_pub_key.len() > MAX_IDENTITY_LEN {
        return Err(auth_failed(format!("identity_pub_key is longer than {MAX_IDENTITY_LEN} bytes")));
    }
    let now = UnixTime::now();
    if register.session_token.is_empty() { admit(shared, register, now) } else { resume(shared, register, now) }
}

/// First time: the library decides.
fn admit(shared: &Shared, register: Register, now: UnixTime) -> Result<Registered, Refused> {
    let hint = Some(register.instance_hint.expose_secret());
    let admitted = shared.admission.admit(register.license_token.expose_secret(), hint, &*shared.revocations(), now);
    let registration = admitted.map_err(|error| {
        if matches!(error, Error::KeyNotConfigured { kind: TokenKind::Lease }) {
            shared.metrics.lease_key_missing.inc();
        }
        Refused(error.wire_code(), error.to_string())
    })?;
    shared.metrics.registrations.with_label_values(&[registration.kind.as_str()]).inc();
    let expires_at = registration.expires_at.unwrap_or(now.saturating_add(LIFETIME_SESSION)).as_secs();
    let instance_id = registration.instance_id.as_str();
    let session = Session::new(instance_id, &register.identity_pub_key, expires_at, registration.subject.clone());
    let session_token = shared
        .session_key
        .issue(&session)
        .ok_or_else(|| Refused(WireErrorCode::InternalError, "no session token could be made".to_owned()))?;
    let ack = RegisterAck { instance_id: instance_id.to_owned(), session_token: session_token.into(), expires_at };
    Ok(Registered { instance_id: session.instance_id, identity: register.identity_pub_key, ack })
}

/// On reconnect: the session token says what the registration was.
fn resume(shared: &Shared, register: Register, now: UnixTime) -> Result<Registered, Refused> {
    let auth_failed = |message: &str| Refused(WireErrorCode::AuthFailed, message.to_owned());
    let session = shared
        .session_key
        .open(register.session_token.expose_secret(), now)
        .ok_or_else(|| auth_failed("the session token is unknown or has expired: register afresh"))?;
    if register.instance_hint.expose_secret() != session.instance_id {
        return Err(auth_failed("instance_hint is not the session's instance id: register afresh"));
    }
    if register.identity_pub_key != session.identity {
        return Err(auth_failed("identity_pub_key is not the session's: register afresh"));
    }
    use pulse_trust::relay::Revocations;
    if let Some(what) = shared.revocations().revoked(&session.subject()) {
        return Err(Refused(WireErrorCode::LicenseInvalid, Error::Revoked { what }.to_string()));
    }
    shared.metrics.registrations.with_label_values(&["session"]).inc();
    let ack = RegisterAck {
        instance_id: session.instance_id.clone(),
        session_token: register.session_token,
        expires_at: session.expires_at,
    };
    Ok(Registered { instance_id: session.instance_id, identity: session.identity, ack })
}

async fn pump<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    connection: &mut Connection<S>,
    link: &Arc<Link>,
) -> Event {
    loop {
        let bytes = match connection.next().await {
            Event::Frame(bytes) => bytes,
            end => return end,
        };
        let Ok(frame) = Frame::decode(&bytes) else {
            link.outbox.send_error(WireErrorCode::InternalError, "a frame could not be read");
            return Event::Closed;
        };
        match frame.frame_type {
            FrameType::Data | FrameType::KeyExchange => forward(shared, link, &frame),
            FrameType::ChannelOpen => accept(shared, link, frame.channel),
            FrameType::ChannelClose => close(shared, link, &frame),
            // This reference relay knows no push provider.
            FrameType::PushNotification => shared.metrics.push_notifications.inc(),
            _ => {
                let message = format!("{} is not for an instance to send", frame.frame_type);
                link.outbox.send_error(WireErrorCode::InternalError, &message);
            }
        }
    }
}

/// Passes a frame on, unread, on the other end's channel.
pub(crate) fn forward(shared: &Shared, link: &Link, frame: &Frame<'_>) {
    match link.channel(frame.channel) {
        Some(channel) => {
            shared.metrics.forwarded_bytes.inc_by(u64::try_from(frame.payload.len()).unwrap_or_default());
            channel.peer.outbox.send(on_channel(frame, channel.peer_id));
        }
        None => {
            let close = ChannelClose { channel_id: frame.channel, reason: "no such channel".to_owned() };
            link.outbox.send_control(&close, frame.channel);
        }
    }
}

fn accept(shared: &Shared, link: &Arc<Link>, id: u32) {
    let Some(channel) = link.accept(id).filter(|channel| !channel.is_accepted) else {
        return;
    };
    channel.peer.accept(channel.peer_id);
    shared.metrics.app_sessions.inc();
    let ack = ConnectAck { channel_id: channel.peer_id, instance_id: link.instance_id.clone() };
    channel.peer.outbox.send_control(&ack, 0);
}

fn close(shared: &Shared, link: &Link, frame: &Frame<'_>) {
    let Some(channel) = disconnect(link, frame.channel, &shared.metrics) else {
        return;
    };
    let reason = ChannelClose::from_frame(frame).map(|close| close.reason).unwrap_or_default();
    if channel.is_accepted {
        channel.peer.outbox.send_control(&ChannelClose { channel_id: channel.peer_id, reason }, channel.peer_id);
    } else {
        shared.metrics.refusals.with_label_values(&[WireErrorCode::AuthFailed.as_str()]).inc();
        let message = if reason.is_empty() { "the instance refused the connection" } else { &reason };
        channel.peer.outbox.send_error(WireErrorCode::AuthFailed, message);
    }
}
