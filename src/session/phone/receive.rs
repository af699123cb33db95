//! What the relay, and the instance by way of it, send to a phone.

use super::{Advice, ChannelState, PhoneEnd, PhoneEvent, RequestId};
use crate::error::{Error, Result};
use crate::pairing::{read_relay_url, relay_url_for_app};
use crate::relay::{
    AppHandshake, ChannelClose, ConnectAck, ControlPayload, Drain, ErrorMessage, Frame, FrameType, ProxyResponse,
};
use crate::session::link::DisconnectReason;
use crate::session::outbox::CloseCode;
use crate::session::{Now, cut};

impl PhoneEnd {
    pub(super) fn receive(&mut self, message: &[u8], now: Now) {
        let frame = match Frame::decode(message) {
            Ok(frame) => frame,
            // A newer relay may know more types.
            Err(Error::FrameType { .. }) => return self.link.heard(now),
            Err(_) => return self.lose(DisconnectReason::ProtocolError, "", now),
        };
        self.link.heard(now);
        match frame.frame_type {
            FrameType::Ping => self.send_frame(FrameType::Pong, 0, &[]),
            FrameType::Pong => {}
            FrameType::Error => self.receive_error(&frame, now),
            FrameType::Drain => self.receive_drain(&frame, now),
            FrameType::ConnectAck => self.receive_ack(&frame, now),
            FrameType::ChannelClose => self.receive_close(&frame, now),
            FrameType::KeyExchange => self.receive_key_exchange(&frame, now),
            FrameType::Data => self.receive_data(&frame, now),
            // Frames that only instances receive are harmless here, and ignored.
            _ => {}
        }
    }

    fn receive_ack(&mut self, frame: &Frame<'_>, now: Now) {
        let ack = match ConnectAck::from_frame(frame) {
            Ok(ack) if ack.instance_id == self.config.instance_id && ack.channel_id != 0 => ack,
            _ => return self.lose(DisconnectReason::ProtocolError, "", now),
        };
        if !self.link.is_opening() {
            return;
        }
        match AppHandshake::start() {
            Ok(handshake) => {
                self.link.opened(now);
                self.send_frame(FrameType::KeyExchange, ack.channel_id, handshake.message());
                let until = now.monotonic.saturating_add(self.link.times().answer);
                let handshake = Box::new(handshake);
                self.channel = ChannelState::Exchanging { channel: ack.channel_id, handshake, until };
            }
            Err(error) => self.lose(DisconnectReason::ProtocolError, &error.to_string(), now),
        }
    }

    fn receive_key_exchange(&mut self, frame: &Frame<'_>, now: Now) {
        match core::mem::replace(&mut self.channel, ChannelState::None) {
            ChannelState::Exchanging { channel, handshake, .. } if channel == frame.channel => {
                match handshake.finish(frame.payload, &self.config.identity) {
                    Ok(keys) => {
                        self.channel = ChannelState::Secured { channel, keys: Box::new(keys) };
                        self.outbox.event(PhoneEvent::Ready);
                    }
                    Err(error) => self.refuse_identity(error, now),
                }
            }
            // Another key exchange would replace verified keys with others, which the relay may attempt.
            state => {
                let is_ours = matches!(state, ChannelState::Secured { channel, .. } if channel == frame.channel);
                self.channel = state;
                if is_ours {
                    self.lose(DisconnectReason::ProtocolError, "", now);
                }
            }
        }
    }

    fn refuse_identity(&mut self, error: Error, now: Now) {
        self.outbox.event(PhoneEvent::IdentityRefused { error });
        self.end_connection(now, DisconnectReason::Refused, CloseCode::Normal, "", |link, _| {
            link.stop();
            None
        });
    }

    fn receive_data(&mut self, frame: &Frame<'_>, now: Now) {
        let opened = match &mut self.channel {
            ChannelState::Secured { channel, keys } if *channel == frame.channel => {
                keys.open(frame.payload).and_then(|plain| ProxyResponse::from_json(&plain))
            }
            // It is for a channel that is not this phone's, or not verified, so it is ignored.
            _ => return,
        };
        match opened {
            Ok(response) => self.receive_response(response, now),
            // A message was changed, dropped or replayed on the way, so answers can no longer be told apart.
            Err(error) => self.lose(DisconnectReason::ProtocolError, &error.to_string(), now),
        }
    }

    fn receive_response(&mut self, response: ProxyResponse, now: Now) {
        // An answer to a request that has timed out, or was canceled, is too late.
        let Some(request) = response.id.parse().ok().map(RequestId).filter(|id| id.to_string() == response.id) else {
            return;
        };
        let Some(until) = self.waiting.get_mut(&request) else { return };
        let is_last = !response.stream || response.stream_done;
        if is_last {
            self.waiting.remove(&request);
        } else {
            *until = now.monotonic.saturating_add(self.config.limits.answer);
        }
        self.outbox.event(PhoneEvent::Response { request, response, is_last });
        self.finish_draining(now);
    }

    fn receive_close(&mut self, frame: &Frame<'_>, now: Now) {
        let is_ours = match self.channel {
            ChannelState::None => self.link.is_opening(),
            ChannelState::Exchanging { channel, .. } | ChannelState::Secured { channel, .. } => {
                channel == frame.channel
            }
        };
        if is_ours {
            let reason = ChannelClose::from_frame(frame).map(|close| close.reason).unwrap_or_default();
            self.lose(DisconnectReason::Lost, &reason, now);
        }
    }

    fn receive_error(&mut self, frame: &Frame<'_>, now: Now) {
        let Ok(error) = ErrorMessage::from_frame(frame) else {
            return self.lose(DisconnectReason::ProtocolError, "", now);
        };
        let code = error.wire_code();
        let advice = Advice::from_code(code);
        let error = ErrorMessage { code: cut(&error.code), message: cut(&error.message) };
        let wait = match advice {
            Advice::PairAgain => None,
            Advice::CheckSubscription => Some(self.link.times().refused),
            Advice::Wait | Advice::CheckInstance => Some(self.link.next_wait(now)),
        };
        let retry_at = wait.map(|wait| now.monotonic.saturating_add(wait));
        self.outbox.event(PhoneEvent::Refused { error, advice, retry_at });
        self.end_connection(now, DisconnectReason::Refused, CloseCode::Normal, "", |link, now| match wait {
            Some(wait) => Some(link.wait(now, wait)),
            None => {
                link.stop();
                None
            }
        });
    }

    fn receive_drain(&mut self, frame: &Frame<'_>, now: Now) {
        let drain = Drain::from_frame(frame).unwrap_or_default();
        self.link.take_drain_url(&drain, |url| checked_app_url(url).ok());
        self.outbox.event(PhoneEvent::Draining { reason: cut(&drain.reason) });
        self.draining_until = Some(now.monotonic.saturating_add(self.link.times().drain));
        self.finish_draining(now);
    }
}

/// A relay names the URL for instances or that for apps; a phone treats it like that of a pairing code.
fn checked_app_url(url: &str) -> Result<String> {
    read_relay_url(&relay_url_for_app(url))
}
