//! A phone's connection: opening it, sending on it and ending it.

use core::time::Duration;

use super::{ChannelState, PhoneEnd, PhoneEvent, RequestFailure};
use crate::relay::{ChannelClose, ControlPayload, FrameType};
use crate::session::clock::Now;
use crate::session::cut;
use crate::session::link::{DisconnectReason, Link};
use crate::session::outbox::CloseCode;

impl PhoneEnd {
    pub(super) fn dial(&mut self, now: Now) {
        let (connection, url) = self.link.dial(now);
        self.outbox.connect(connection, url);
    }

    /// Leaves a draining relay once it has passed on every answer.
    pub(super) fn finish_draining(&mut self, now: Now) {
        let is_over = |until| now.monotonic >= until || self.waiting.is_empty();
        if self.draining_until.is_some_and(is_over) {
            let code = CloseCode::Normal;
            self.end_connection(now, DisconnectReason::Drained, code, "", |link, now| Some(link.drained(now)));
        }
    }

    /// Ends the connection, and tries again after the back-off.
    pub(super) fn lose(&mut self, reason: DisconnectReason, message: &str, now: Now) {
        let code = match reason {
            DisconnectReason::ProtocolError => CloseCode::ProtocolError,
            _ => CloseCode::Normal,
        };
        self.end_connection(now, reason, code, message, |link, now| Some(link.lost(now)));
    }

    pub(super) fn end_connection(
        &mut self,
        now: Now,
        reason: DisconnectReason,
        code: CloseCode,
        message: &str,
        next: impl FnOnce(&mut Link, Now) -> Option<Duration>,
    ) {
        let Some(connection) = self.link.connection() else { return };
        self.outbox.drop_frames();
        if let (ChannelState::Secured { channel, .. }, DisconnectReason::Stopped) = (&self.channel, reason) {
            let close = ChannelClose { channel_id: *channel, reason: String::new() };
            if let Ok(frame) = close.to_frame(*channel) {
                self.outbox.send(connection, 0, frame);
            }
        }
        self.outbox.disconnect(connection, code);
        self.forget_connection(now, reason, message, next);
    }

    pub(super) fn forget_connection(
        &mut self,
        now: Now,
        reason: DisconnectReason,
        message: &str,
        next: impl FnOnce(&mut Link, Now) -> Option<Duration>,
    ) {
        let retry_at = next(&mut self.link, now);
        self.channel = ChannelState::None;
        self.draining_until = None;
        for (request, _) in core::mem::take(&mut self.waiting) {
            let reason = RequestFailure::Disconnected;
            self.outbox.event(PhoneEvent::RequestFailed { request, reason });
        }
        self.outbox.event(PhoneEvent::Disconnected { reason, message: cut(message), retry_at });
    }

    pub(super) fn send_frame(&mut self, frame_type: FrameType, channel: u32, payload: &[u8]) {
        self.outbox.send_payload(self.link.connection(), frame_type, channel, payload);
    }
}
