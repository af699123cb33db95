//! An instance's connection: opening it, registering on it, sending on it and ending it.

use core::time::Duration;

use super::registration::{RegisterParts, Renewal};
use super::{ChannelEnd, InstanceEnd, InstanceEvent};
use crate::error::Result;
use crate::relay::{ChannelClose, ControlPayload, FrameType};
use crate::session::clock::{ConnectionId, Now};
use crate::session::cut;
use crate::session::link::{DisconnectReason, Link};
use crate::session::outbox::CloseCode;

/// How long before its end a registration is renewed, if there is a newer credential.
const RENEWAL_MARGIN: Duration = Duration::from_secs(300);

impl InstanceEnd {
    pub(super) fn dial(&mut self, now: Now) {
        let (connection, url) = self.link.dial(now);
        self.outbox.connect(connection, url);
    }

    pub(super) fn send_register(&mut self, connection: ConnectionId, now: Now) {
        let resumed = self.resumable.as_ref().filter(|_| self.is_resuming);
        let parts = RegisterParts {
            url: self.link.url(),
            credential: &self.config.credential,
            instance_secret: &self.config.instance_secret,
            identity: &self.config.identity,
            client_version: self.config.client_version.as_deref(),
            resumed,
            now: now.wall,
        };
        self.is_credential_offered = !self.is_resuming;
        match parts.to_frame() {
            Ok(frame) => self.outbox.send(connection, 0, frame),
            // The credential does not fit in a frame, so only another one can help.
            Err(_) => self.wait_for_credential(now),
        }
    }

    /// Registers again on the same connection, where the registration is about to end and there is a newer credential.
    pub(super) fn renew_if_due(&mut self, now: Now) {
        let is_ending = self.expires_at.is_some_and(|end| end.saturating_duration_since(now.wall) <= RENEWAL_MARGIN);
        let is_possible = self.link.is_open() && self.renewal == Renewal::NotAsked && self.draining_until.is_none();
        if let Some(connection) = self.link.connection()
            && is_possible
            && is_ending
            && !self.is_credential_current
        {
            self.renewal = Renewal::Asked;
            self.is_resuming = false;
            self.send_register(connection, now);
        }
    }

    /// Ends the connection from this side.
    pub(super) fn end_connection(
        &mut self,
        now: Now,
        reason: DisconnectReason,
        code: CloseCode,
        next: impl FnOnce(&mut Link, Now) -> Option<Duration>,
    ) {
        if let Some(connection) = self.link.connection() {
            if reason == DisconnectReason::Silence {
                self.outbox.drop_frames();
            }
            // What is still to be sent goes out before the connection is closed.
            self.outbox.disconnect(connection, code);
            self.forget_connection(now, reason, next);
        }
    }

    /// Ends the connection, or the wait for the next one; the next one is made with another credential.
    pub(super) fn wait_for_credential(&mut self, now: Now) {
        if self.link.is_waiting() {
            return self.link.wait_for_program();
        }
        self.end_connection(now, DisconnectReason::Refused, CloseCode::Normal, |link, _| {
            link.wait_for_program();
            None
        });
    }

    /// Cleans up after a connection, whoever ended it. `next` says when the next one is made.
    pub(super) fn forget_connection(
        &mut self,
        now: Now,
        reason: DisconnectReason,
        next: impl FnOnce(&mut Link, Now) -> Option<Duration>,
    ) {
        let retry_at = next(&mut self.link, now);
        self.renewal = Renewal::NotAsked;
        self.draining_until = None;
        self.expires_at = None;
        for channel in self.channels.take_all() {
            self.outbox.event(InstanceEvent::ChannelEnded { channel, end: ChannelEnd::Disconnected });
        }
        self.outbox.event(InstanceEvent::Disconnected { reason, retry_at });
    }

    /// Ends a channel from this side.
    pub(super) fn end_channel(&mut self, channel: u32, end: ChannelEnd, reason: &str) {
        if self.channels.remove(channel).is_some() {
            self.outbox.drop_channel(channel);
            self.outbox.event(InstanceEvent::ChannelEnded { channel, end });
        }
        self.send_close(channel, reason);
    }

    /// Leaves a draining relay once it has every answer.
    pub(super) fn finish_draining(&mut self, now: Now) {
        let Some(until) = self.draining_until else { return };
        if now.monotonic >= until || self.channels.waiting_requests() == 0 {
            self.leave_drained(now);
        }
    }

    pub(super) fn leave_drained(&mut self, now: Now) {
        self.end_connection(now, DisconnectReason::Drained, CloseCode::Normal, |link, now| Some(link.drained(now)));
    }

    pub(super) fn send_close(&mut self, channel: u32, reason: &str) {
        let close = ChannelClose { channel_id: channel, reason: cut(reason) };
        // This cannot fail, as a cut text fits in a frame.
        self.send_control(&close, channel).ok();
    }

    pub(super) fn send_control(&mut self, payload: &impl ControlPayload, channel: u32) -> Result<()> {
        let frame = payload.to_frame(channel)?;
        if let Some(connection) = self.link.connection() {
            self.outbox.send(connection, 0, frame);
        }
        Ok(())
    }

    pub(super) fn send_on_channel(&mut self, frame_type: FrameType, channel: u32, payload: &[u8]) {
        self.outbox.send_payload(self.link.connection(), frame_type, channel, payload);
    }
}
