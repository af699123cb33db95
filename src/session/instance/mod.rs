//! The runtime's end of the conversation.

mod channels;
mod config;
mod connection;
mod event;
mod receive;
mod registration;
mod requests;

use core::fmt;
use core::time::Duration;

use self::channels::Channels;
pub use self::config::{InstanceConfig, InstanceLimits};
pub use self::event::{ChannelEnd, InstanceEvent};
use self::registration::{Renewal, Resumable};
use super::clock::{ConnectionId, Now};
use super::link::{DisconnectReason, Due, Link};
use super::outbox::{CloseCode, Outbox, Output};
use super::refresh::{Answered, LeaseRefresh, RefreshStep};
use crate::error::{Error, Result};
use crate::relay::{
    ChannelOpen, ControlPayload, FrameType, MAX_PAYLOAD_LEN, ProxyResponse, PushNotification, validate_server_url,
};
use crate::secret::Secret;
use crate::time::UnixTime;

/// A runtime's conversation with the relay and, through it, with phones.
///
/// The order of calls is that of [the module](super). What an instance does in addition:
///
/// - [`InstanceEvent::ChannelOffered`]: judge the token, then [`accept`](Self::accept) or [`refuse`](Self::refuse).
/// - [`InstanceEvent::Request`]: [`respond`](Self::respond), once with a whole response, or piece by piece: pieces with
///   `stream` set, and the last one with `stream_done` alone.
/// - [`InstanceEvent::RefreshDue`]: send the request to the control plane, and report the answer.
/// - While [`is_congested`](Self::is_congested), read nothing from the connection, so that phones that request more
///   than they read are slowed down instead of losing their channels.
///
/// Messages for a phone are sent in the order in which they are sealed. Both happen here, so a program cannot get it
/// wrong.
///
/// See the example of [`session`](crate::session).
pub struct InstanceEnd {
    config: InstanceConfig,
    link: Link,
    outbox: Outbox<InstanceEvent>,
    resumable: Option<Resumable>,
    /// Whether REGISTER on this connection named a session.
    is_resuming: bool,
    channels: Channels,
    /// The end of the registration, as the relay has said.
    expires_at: Option<UnixTime>,
    /// Whether the last REGISTER was made with the current credential, and not with a session.
    is_credential_offered: bool,
    /// Whether the registration is based on the current credential.
    is_credential_current: bool,
    renewal: Renewal,
    /// The relay is going down: the connection is closed at this moment, or when no request is waiting anymore.
    draining_until: Option<Duration>,
}

impl InstanceEnd {
    /// An end that has not started. `seed` spreads the waiting times: give each process its own, from a random
    /// generator or, in a test, a fixed one.
    ///
    /// # Errors
    /// [`Error::ServerUrlInvalid`].
    pub fn new(config: InstanceConfig, seed: u64) -> Result<Self> {
        validate_server_url(&config.server_url)?;
        Ok(Self {
            link: Link::new(config.server_url.clone(), config.times, config.backoff, seed),
            config,
            outbox: Outbox::new(),
            resumable: None,
            is_resuming: false,
            channels: Channels::default(),
            expires_at: None,
            is_credential_offered: false,
            is_credential_current: false,
            renewal: Renewal::NotAsked,
            draining_until: None,
        })
    }

    /// Begins to connect. It has no effect if the end has already started. An end that has lost its lease waits for
    /// another credential.
    pub fn start(&mut self, now: Now) {
        if self.link.is_stopped() {
            if let Some(refresh) = &mut self.config.refresh {
                refresh.start(self.link.backoff_mut(), now);
            }
            if self.is_lease_lost() {
                self.link.wait_for_program();
            } else {
                self.dial(now);
            }
        }
    }

    /// Ends every channel and the connection. [`InstanceEnd::start`] begins again, and resumes the session.
    pub fn stop(&mut self, now: Now) {
        self.end_connection(now, DisconnectReason::Stopped, CloseCode::Normal, |link, _| {
            link.stop();
            None
        });
        self.link.stop();
    }

    /// The connection is open.
    pub fn handle_connected(&mut self, connection: ConnectionId, now: Now) {
        if !self.link.connected(connection, now) {
            return;
        }
        self.is_resuming = self.resumable.is_some();
        self.send_register(connection, now);
    }

    /// A binary message has arrived. It yields at most a few outputs, so a program that handles them before it reads
    /// the next message holds little.
    pub fn handle_message(&mut self, connection: ConnectionId, message: &[u8], now: Now) {
        if self.link.is_connected(connection) {
            self.receive(message, now);
        }
    }

    /// The connection is lost, or could not be made.
    pub fn handle_disconnected(&mut self, connection: ConnectionId, now: Now) {
        let Some(reason) = self.link.loss(connection, self.draining_until.is_some()) else { return };
        self.outbox.drop_frames();
        self.forget_connection(now, reason, |link, now| Some(link.lost_for(reason, now)));
    }

    /// The moment of [`InstanceEnd::poll_timeout`] has come. At any other moment it does nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        match self.config.refresh.as_mut().and_then(|refresh| refresh.poll(now)) {
            Some(RefreshStep::Ask(request)) => self.outbox.event(InstanceEvent::RefreshDue(request)),
            Some(RefreshStep::Failed(failure)) => self.outbox.event(failure.into()),
            None => {}
        }
        match self.link.due(now) {
            Some(Due::Dial) => self.dial(now),
            Some(Due::GiveUp(reason)) => {
                self.end_connection(now, reason, CloseCode::Normal, |link, now| Some(link.lost(now)));
            }
            Some(Due::Ping) => {
                self.link.pinged(now);
                self.send_on_channel(FrameType::Ping, 0, &[]);
                self.renew_if_due(now);
            }
            None => self.renew_if_due(now),
        }
        for channel in self.channels.idle(now.monotonic) {
            self.end_channel(channel, ChannelEnd::Idle, "nothing was asked in time");
        }
        self.finish_draining(now);
    }

    /// The control plane has answered a refresh. Its body is looked at only where the status is 200.
    pub fn handle_refresh_answer(&mut self, status: u16, body: &[u8], now: Now) {
        let Some(refresh) = self.config.refresh.as_mut().filter(|refresh| refresh.is_asked()) else {
            return;
        };
        let refresh_token = refresh.secret_refresh_token();
        match refresh.answered(status, body, self.link.backoff_mut(), now) {
            Answered::Refreshed(token, lease) => {
                let event = InstanceEvent::LeaseRefreshed { refresh_token, token: token.duplicate(), lease };
                self.outbox.event(event);
                self.set_credential(token, now);
            }
            Answered::Failed(failure) => self.outbox.event(failure.into()),
            Answered::Final => {
                self.outbox.event(InstanceEvent::LeaseLost { refresh_token, status });
                self.config.credential = Secret::default();
                self.resumable = None;
                self.wait_for_credential(now);
            }
        }
    }

    /// The control plane could not be reached.
    pub fn handle_refresh_failure(&mut self, now: Now) {
        if let Some(refresh) = self.config.refresh.as_mut().filter(|refresh| refresh.is_asked()) {
            let failure = refresh.fail("the control plane could not be reached", now);
            self.outbox.event(failure.into());
        }
    }

    fn is_lease_lost(&self) -> bool {
        self.config.credential.is_empty() && self.config.refresh.as_ref().is_some_and(LeaseRefresh::is_over)
    }

    /// What the program is to do next; `None` when it has nothing to do but wait.
    pub fn poll_output(&mut self) -> Option<Output<InstanceEvent>> {
        self.outbox.pop()
    }

    /// When to call [`InstanceEnd::handle_timeout`], on the monotonic clock; `None` if nothing is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        [
            self.link.deadline(),
            self.channels.deadline(),
            self.draining_until,
            self.config.refresh.as_ref().and_then(LeaseRefresh::deadline),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether so much is waiting to be sent that the program should stop reading until it has sent some of it.
    pub fn is_congested(&self) -> bool {
        self.outbox.queued() > self.config.limits.queued_bytes / 2
    }

    /// Registers with another credential from now on. An instance that the relay has refused tries again at once. A
    /// registered instance stays registered, and renews its registration before it ends.
    pub fn set_credential(&mut self, credential: impl Into<Secret>, now: Now) {
        self.config.credential = credential.into();
        self.is_credential_offered = false;
        self.is_credential_current = false;
        if self.link.is_waiting() {
            self.dial(now);
        } else {
            self.renew_if_due(now);
        }
    }

    /// Accepts a channel that was offered.
    ///
    /// # Errors
    /// [`Error::SessionChannel`] if the channel is no longer waiting for it.
    pub fn accept(&mut self, channel: u32) -> Result<()> {
        let auth_token = self.channels.accept(channel)?;
        let echo = ChannelOpen { channel_id: channel, auth_token };
        self.send_control(&echo, channel)
    }

    /// Refuses a channel that was offered. `reason` is shown to the phone's user.
    ///
    /// # Errors
    /// [`Error::SessionChannel`] if the channel is no longer waiting for it.
    pub fn refuse(&mut self, channel: u32, reason: &str) -> Result<()> {
        self.channels.offered(channel)?;
        self.channels.remove(channel);
        self.send_close(channel, reason);
        Ok(())
    }

    /// Closes a channel. The program is told by [`InstanceEvent::ChannelEnded`], as of any other end.
    ///
    /// # Errors
    /// [`Error::SessionChannel`] if there is no such channel.
    pub fn close(&mut self, channel: u32, reason: &str) -> Result<()> {
        if self.channels.get_mut(channel).is_none() {
            return Err(Error::SessionChannel { channel, expected: "open" });
        }
        self.end_channel(channel, ChannelEnd::Closed(super::cut(reason)), reason);
        Ok(())
    }

    /// Answers a request, with the whole response or the next piece of it. A piece without `stream` is the last one.
    ///
    /// # Errors
    /// [`Error::SessionChannel`] or [`Error::RequestUnknown`] if nothing is waiting for it anymore;
    /// [`Error::FrameTooLarge`] if the headers leave no room for the body; [`Error::SendQueueFull`] if too much is
    /// waiting to be sent: try again after some of it was sent. In each case nothing was sent, and the request is still
    /// waiting.
    pub fn respond(&mut self, channel: u32, response: &ProxyResponse, now: Now) -> Result<()> {
        let limits = self.config.limits;
        let open = self.channels.get_mut(channel).ok_or(Error::SessionChannel { channel, expected: "open" })?;
        if !open.waiting.contains(&response.id) {
            return Err(Error::RequestUnknown { channel });
        }
        let plain = response.to_json();
        let length = plain.len().saturating_add(open.overhead());
        if length > MAX_PAYLOAD_LEN {
            return Err(Error::FrameTooLarge { limit: MAX_PAYLOAD_LEN, received: length });
        }
        self.outbox.check_room(channel, length, limits.queued_bytes, limits.queued_bytes_of_channel)?;
        let payload = open.seal(&plain)?;
        if !response.stream {
            open.waiting.remove(&response.id);
        }
        self.send_on_channel(FrameType::Data, channel, &payload);
        self.finish_draining(now);
        Ok(())
    }

    /// Sends a notification to the instance's phones, by way of the relay.
    ///
    /// # Errors
    /// [`Error::SessionNotOpen`] if the instance is not registered; [`Error::SendQueueFull`]; [`Error::FrameTooLarge`].
    pub fn push(&mut self, notification: &PushNotification) -> Result<()> {
        if !self.link.is_open() {
            return Err(Error::SessionNotOpen { needed: "registered", state: self.link.state() });
        }
        let limit = self.config.limits.queued_bytes;
        self.outbox.check_room(0, notification.secret_json().expose_secret().len(), limit, limit)?;
        self.send_control(notification, 0)
    }
}

impl fmt::Debug for InstanceEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceEnd").field("state", &self.link.state()).finish_non_exhaustive()
    }
}
