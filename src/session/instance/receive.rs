//! What the relay sends to an instance.

use core::time::Duration;

use super::registration::{Renewal, Resumable, Retry, retry_after};
use super::requests::{overloaded, read_request};
use super::{ChannelEnd, InstanceEnd, InstanceEvent};
use crate::error::Error;
use crate::relay::{
    ChannelClose, ChannelOpen, ControlPayload, Drain, ErrorMessage, Frame, FrameType, ProxyResponse, RegisterAck,
    WireErrorCode, validate_server_url,
};
use crate::session::Now;
use crate::session::cut;
use crate::session::link::DisconnectReason;
use crate::session::outbox::CloseCode;

/// The longest instance id that a relay may give, in bytes.
const MAX_INSTANCE_ID_LEN: usize = 128;

impl InstanceEnd {
    pub(super) fn receive(&mut self, message: &[u8], now: Now) {
        let frame = match Frame::decode(message) {
            Ok(frame) => frame,
            // A newer relay may know more types.
            Err(Error::FrameType { .. }) => return self.link.heard(now),
            Err(_) => return self.break_off(now),
        };
        self.link.heard(now);
        match frame.frame_type {
            FrameType::Ping => self.send_on_channel(FrameType::Pong, 0, &[]),
            FrameType::Pong => {}
            FrameType::RegisterAck => self.receive_ack(&frame, now),
            FrameType::Error => self.receive_error(&frame, now),
            FrameType::Drain => self.receive_drain(&frame, now),
            // Nothing else is allowed before the registration is acknowledged.
            _ if !self.link.is_open() => self.break_off(now),
            FrameType::ChannelOpen => self.receive_channel_open(&frame, now),
            FrameType::ChannelClose => self.receive_channel_close(&frame, now),
            FrameType::KeyExchange => self.receive_key_exchange(&frame),
            FrameType::Data => self.receive_data(&frame),
            // Frames that only instances and apps send are harmless here, and ignored.
            _ => {}
        }
    }

    fn break_off(&mut self, now: Now) {
        self.end_connection(now, DisconnectReason::ProtocolError, CloseCode::ProtocolError, |link, now| {
            Some(link.lost(now))
        });
    }

    fn receive_ack(&mut self, frame: &Frame<'_>, now: Now) {
        let Ok(ack) = RegisterAck::from_frame(frame) else { return self.break_off(now) };
        if ack.instance_id.is_empty() || ack.instance_id.len() > MAX_INSTANCE_ID_LEN {
            return self.break_off(now);
        }
        let is_renewed = self.link.is_open();
        if is_renewed && !self.renewal.is_asked() {
            return;
        }
        self.expires_at = ack.expires_at;
        self.is_credential_current = self.is_credential_offered;
        let resumable = Resumable { session_token: ack.session_token, instance_id: ack.instance_id.clone() };
        self.resumable = Some(resumable).filter(|resumable| !resumable.session_token.is_empty());
        let expires_at = self.expires_at;
        if is_renewed {
            self.renewal = Renewal::NotAsked;
            self.outbox.event(InstanceEvent::Renewed { expires_at });
        } else {
            self.link.opened(now);
            let (instance_id, resumed) = (ack.instance_id, self.is_resuming);
            self.outbox.event(InstanceEvent::Registered { instance_id, resumed, expires_at });
        }
        self.renew_if_due(now);
    }

    fn receive_error(&mut self, frame: &Frame<'_>, now: Now) {
        let Ok(error) = ErrorMessage::from_frame(frame) else { return self.break_off(now) };
        let code = error.wire_code();
        let error = ErrorMessage { code: cut(&error.code), message: cut(&error.message) };
        if !self.link.is_open() {
            let retry = retry_after(code, self.is_credential_offered, self.link.times().refused);
            return self.refused(error, retry, now);
        }
        if frame.channel != 0 || self.renewal.is_asked() {
            if frame.channel == 0 {
                // A relay that refuses or does not support the renewal still keeps the registration until its end.
                self.renewal = Renewal::Refused;
            }
            return self.outbox.event(InstanceEvent::RelayError { channel: frame.channel, error });
        }
        let later = Retry::Later(self.link.times().refused);
        match code {
            Some(WireErrorCode::LicenseExpired | WireErrorCode::LicenseInvalid) => {
                let retry = if self.is_credential_current { later } else { Retry::Afresh };
                self.refused(error, retry, now);
            }
            Some(WireErrorCode::AuthFailed | WireErrorCode::InstanceNotFound) => {
                self.refused(error, Retry::Backoff, now);
            }
            // Another runtime with the same identity has taken over. If both took it back at once, that would never
            // end.
            Some(WireErrorCode::DuplicateInstance) => self.refused(error, later, now),
            Some(WireErrorCode::ServerDraining) => self.leave_drained(now),
            _ => self.outbox.event(InstanceEvent::RelayError { channel: 0, error }),
        }
    }

    fn refused(&mut self, error: ErrorMessage, retry: Retry, now: Now) {
        if !error.wire_code().is_none_or(keeps_session) {
            self.resumable = None;
        }
        let wait = match retry {
            Retry::Afresh => Duration::ZERO,
            Retry::Backoff => self.link.next_wait(now),
            Retry::Later(wait) => wait,
        };
        let retry_at = Some(now.monotonic.saturating_add(wait));
        self.outbox.event(InstanceEvent::Refused { error, retry_at });
        self.end_connection(now, DisconnectReason::Refused, CloseCode::Normal, |link, now| Some(link.wait(now, wait)));
    }

    fn receive_drain(&mut self, frame: &Frame<'_>, now: Now) {
        let drain = Drain::from_frame(frame).unwrap_or_default();
        self.link.take_drain_url(&drain, |url| validate_server_url(url).is_ok().then(|| url.to_owned()));
        if !self.link.is_open() {
            return self.leave_drained(now);
        }
        self.outbox.event(InstanceEvent::Draining { reason: cut(&drain.reason) });
        self.draining_until = Some(now.monotonic.saturating_add(self.link.times().drain));
        self.finish_draining(now);
    }

    fn receive_channel_open(&mut self, frame: &Frame<'_>, now: Now) {
        let channel = frame.channel;
        let open = match ChannelOpen::from_frame(frame) {
            Ok(open) if channel != 0 && open.channel_id == channel => open,
            _ => return self.send_close(channel, "CHANNEL_OPEN must name the channel that it is sent on"),
        };
        if self.draining_until.is_some() {
            return self.send_close(channel, "the relay is going down: connect again");
        }
        if self.channels.get_mut(channel).is_some() {
            let error = Error::SessionChannel { channel, expected: "new" };
            return self.end_channel(channel, ChannelEnd::ProtocolError(error), "the channel is open already");
        }
        let until = now.monotonic.saturating_add(self.link.times().answer);
        match self.channels.offer(channel, open.auth_token.duplicate(), &self.config.limits, until) {
            Ok(()) => {
                self.outbox.event(InstanceEvent::ChannelOffered { channel, auth_token: open.auth_token });
            }
            Err(reason) => self.send_close(channel, reason),
        }
    }

    fn receive_channel_close(&mut self, frame: &Frame<'_>, now: Now) {
        let reason = ChannelClose::from_frame(frame).map(|close| close.reason).unwrap_or_default();
        if self.channels.remove(frame.channel).is_some() {
            self.outbox.drop_channel(frame.channel);
            let end = ChannelEnd::Closed(cut(&reason));
            self.outbox.event(InstanceEvent::ChannelEnded { channel: frame.channel, end });
        }
        self.finish_draining(now);
    }

    fn receive_key_exchange(&mut self, frame: &Frame<'_>) {
        let channel = frame.channel;
        let Some(open) = self.channels.get_mut(channel) else { return self.send_close(channel, "no such channel") };
        match open.exchange_keys(frame.payload, &self.config.identity) {
            Ok(answer) => {
                self.send_on_channel(FrameType::KeyExchange, channel, &answer);
                self.outbox.event(InstanceEvent::ChannelSecured { channel });
            }
            Err(error) => self.break_channel(channel, error),
        }
    }

    fn receive_data(&mut self, frame: &Frame<'_>) {
        let channel = frame.channel;
        let limits = self.config.limits;
        let waiting = self.channels.waiting_requests();
        let Some(open) = self.channels.get_mut(channel) else { return self.send_close(channel, "no such channel") };
        let plain = match open.open(frame.payload) {
            Ok(plain) => plain,
            Err(error) => return self.break_channel(channel, error),
        };
        let bad = match read_request(&plain) {
            Ok(request) if open.waiting.contains(&request.id) => {
                let expected = "a request id that no request is waiting under";
                return self.break_channel(channel, Error::FrameUnexpected { expected, received: "the same id again" });
            }
            Ok(request) if waiting < limits.requests => {
                open.waiting.insert(request.id.clone());
                return self.outbox.event(InstanceEvent::Request { channel, request });
            }
            Ok(request) => overloaded(request.id),
            Err(bad) => bad,
        };
        match bad.response() {
            Ok(response) => self.answer_at_once(channel, &response),
            Err(error) => self.break_channel(channel, error),
        }
    }

    /// Answers a request that the program never sees. A phone that sends so many invalid requests that the answers pile
    /// up loses its channel.
    fn answer_at_once(&mut self, channel: u32, response: &ProxyResponse) {
        let limits = self.config.limits;
        let Some(open) = self.channels.get_mut(channel) else { return };
        let plain = response.to_json();
        let length = plain.len().saturating_add(open.overhead());
        let room = self.outbox.check_room(channel, length, limits.queued_bytes, limits.queued_bytes_of_channel);
        match room.and_then(|()| open.seal(&plain)) {
            Ok(payload) => self.send_on_channel(FrameType::Data, channel, &payload),
            Err(Error::SendQueueFull { .. }) => {
                self.end_channel(channel, ChannelEnd::TooSlow, "too many answers wait to be read");
            }
            Err(error) => self.break_channel(channel, error),
        }
    }

    fn break_channel(&mut self, channel: u32, error: Error) {
        let reason = error.to_string();
        self.end_channel(channel, ChannelEnd::ProtocolError(error), &reason);
    }
}

/// Whether a session may still be resumed after a refusal with this code.
const fn keeps_session(code: WireErrorCode) -> bool {
    !matches!(
        code,
        WireErrorCode::AuthFailed
            | WireErrorCode::InstanceNotFound
            | WireErrorCode::LicenseInvalid
            | WireErrorCode::LicenseExpired
            | WireErrorCode::DuplicateInstance
    )
}
