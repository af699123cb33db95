//! The phone's end of the conversation.

mod config;
mod connection;
mod event;
mod receive;

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

pub use self::config::{PhoneConfig, PhoneLimits};
pub use self::event::{Advice, PhoneEvent, RequestFailure, RequestId};
use super::clock::{ConnectionId, Now};
use super::link::{DisconnectReason, Due, Link};
use super::outbox::{CloseCode, Outbox, Output};
use crate::error::{Error, Result};
use crate::pairing::read_relay_url;
use crate::relay::{
    AppHandshake, Body, Channel, Connect, ControlPayload, FrameType, MAX_PAYLOAD_LEN, ProxyRequest, SEALED_OVERHEAD,
};
use crate::secret::Secret;

/// A phone's conversation with an instance, by way of the relay.
///
/// The order of calls is that of [the module](super). Requests are made with [`request`](Self::request) from
/// [`PhoneEvent::Ready`] on, until [`PhoneEvent::Disconnected`]; each of them ends with a [`PhoneEvent::Response`] that
/// is the last, or with a [`PhoneEvent::RequestFailed`], and never with both.
///
/// **What is sent before the identity is verified**: to the relay the `auth_token` and the device token, which it needs
/// to find the instance and reads in any case; through the channel nothing but the phone's half of the key exchange.
///
/// ```
/// use core::time::Duration;
/// use pulse_trust::UnixTime;
/// use pulse_trust::relay::Identity;
/// use pulse_trust::session::{Now, Output, PhoneConfig, PhoneEnd};
///
/// let identity = Identity::generate()?.public_key().clone();
/// let config = PhoneConfig::new("wss://relay.example.test/ws/app", "relay_2e1b0929e6fd7c52", "token", identity);
/// let mut end = PhoneEnd::new(config, 7)?;
/// end.start(Now::new(Duration::ZERO, UnixTime::from_secs(1_774_440_000)));
/// assert!(matches!(end.poll_output(), Some(Output::Connect { .. })));
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub struct PhoneEnd {
    config: PhoneConfig,
    link: Link,
    outbox: Outbox<PhoneEvent>,
    channel: ChannelState,
    requests: u64,
    /// Requests, and until when each waits for its answer or the next piece of it.
    waiting: BTreeMap<RequestId, Duration>,
    /// The relay is going down: the connection is closed at this moment, or when no request is waiting anymore.
    draining_until: Option<Duration>,
}

enum ChannelState {
    /// There is none, or CONNECT is not answered yet.
    None,
    /// The phone's half of the key exchange is sent. Boxed, like the keys, because both are large.
    Exchanging {
        channel: u32,
        handshake: Box<AppHandshake>,
        until: Duration,
    },
    Secured {
        channel: u32,
        keys: Box<Channel>,
    },
}

impl PhoneEnd {
    /// An end that has not started. `seed` spreads the waiting times: a random number or, in a test, a fixed one.
    ///
    /// # Errors
    /// As for the relay URL of a pairing code: [`Error::PairingMalformed`], and [`Error::PairingInsecureUrl`] for
    /// `ws://` to a host that is not local.
    pub fn new(config: PhoneConfig, seed: u64) -> Result<Self> {
        let url = read_relay_url(&config.relay_url)?;
        Ok(Self {
            link: Link::new(url, config.times, config.backoff, seed),
            config,
            outbox: Outbox::new(),
            channel: ChannelState::None,
            requests: 0,
            waiting: BTreeMap::new(),
            draining_until: None,
        })
    }

    /// Begins to connect, even if the end is waiting for its next try or has stopped by itself.
    pub fn start(&mut self, now: Now) {
        if self.link.is_stopped() || self.link.is_waiting() {
            self.dial(now);
        }
    }

    /// Closes the connection. Every waiting request fails.
    pub fn stop(&mut self, now: Now) {
        self.end_connection(now, DisconnectReason::Stopped, CloseCode::Normal, "", |link, _| {
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
        let connect = Connect {
            instance_id: self.config.instance_id.clone(),
            auth_token: self.config.auth_token.duplicate(),
            device_token: self.config.device_token.as_ref().map(Secret::duplicate),
            platform: self.config.platform.clone(),
            notification_preferences: self.config.notification_preferences,
        };
        match connect.to_frame(0) {
            Ok(frame) => self.outbox.send(connection, 0, frame),
            // The tokens do not fit in a frame, so trying again cannot help.
            Err(_) => self.stop(now),
        }
    }

    /// A binary message has arrived.
    pub fn handle_message(&mut self, connection: ConnectionId, message: &[u8], now: Now) {
        if self.link.is_connected(connection) {
            self.receive(message, now);
        }
    }

    /// The connection is lost, or could not be made.
    pub fn handle_disconnected(&mut self, connection: ConnectionId, now: Now) {
        let Some(reason) = self.link.loss(connection, self.draining_until.is_some()) else { return };
        self.outbox.drop_frames();
        self.forget_connection(now, reason, "", |link, now| Some(link.lost_for(reason, now)));
    }

    /// The moment of [`PhoneEnd::poll_timeout`] has come. At any other moment it does nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        match self.link.due(now) {
            Some(Due::Dial) => self.dial(now),
            Some(Due::GiveUp(reason)) => self.lose(reason, "", now),
            Some(Due::Ping) => {
                self.link.pinged(now);
                self.send_frame(FrameType::Ping, 0, &[]);
            }
            None => {}
        }
        if matches!(self.channel, ChannelState::Exchanging { until, .. } if now.monotonic >= until) {
            self.lose(DisconnectReason::NoAnswer, "", now);
        }
        let late: Vec<RequestId> =
            self.waiting.iter().filter(|(_, until)| now.monotonic >= **until).map(|(request, _)| *request).collect();
        for request in late {
            self.fail(request, RequestFailure::TimedOut);
        }
        self.finish_draining(now);
    }

    /// What the program is to do next; `None` when it has nothing to do but wait.
    pub fn poll_output(&mut self) -> Option<Output<PhoneEvent>> {
        self.outbox.pop()
    }

    /// When to call [`PhoneEnd::handle_timeout`], on the monotonic clock; `None` if nothing is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let exchange = match self.channel {
            ChannelState::Exchanging { until, .. } => Some(until),
            _ => None,
        };
        let answers = self.waiting.values().copied().min();
        [self.link.deadline(), exchange, answers, self.draining_until].into_iter().flatten().min()
    }

    /// Whether requests can be made.
    pub const fn is_ready(&self) -> bool {
        matches!(self.channel, ChannelState::Secured { .. })
    }

    /// Sends a request to the instance. `headers` are names and values.
    ///
    /// # Errors
    /// [`Error::SessionNotOpen`] before [`PhoneEvent::Ready`]; [`Error::RequestLimit`]; [`Error::SendQueueFull`];
    /// [`Error::BodyTooLarge`]; [`Error::FrameTooLarge`] if path and headers leave no room for the body. In each case
    /// nothing was sent.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: BTreeMap<String, String>,
        body: Vec<u8>,
        now: Now,
    ) -> Result<RequestId> {
        let state = self.link.state();
        let ChannelState::Secured { channel, keys } = &mut self.channel else {
            return Err(Error::SessionNotOpen { needed: "a verified identity", state });
        };
        let limits = self.config.limits;
        if self.waiting.len() >= limits.requests {
            return Err(Error::RequestLimit { limit: limits.requests });
        }
        let request = RequestId(self.requests.saturating_add(1));
        let (method, path, body) = (method.to_owned(), path.to_owned(), Body::new(body)?);
        let plain = ProxyRequest { id: request.to_string(), method, path, headers, body }.to_json();
        let length = plain.len().saturating_add(SEALED_OVERHEAD);
        if length > MAX_PAYLOAD_LEN {
            return Err(Error::FrameTooLarge { limit: MAX_PAYLOAD_LEN, received: length });
        }
        self.outbox.check_room(*channel, length, limits.queued_bytes, limits.queued_bytes)?;
        let (channel, payload) = (*channel, keys.seal(plain.as_bytes())?);
        self.send_frame(FrameType::Data, channel, &payload);
        self.requests = request.0;
        self.waiting.insert(request, now.monotonic.saturating_add(limits.answer));
        Ok(request)
    }

    /// Cancels a request: whatever still arrives for it is dropped. The instance is not told, as the protocol has no
    /// message for it.
    pub fn cancel(&mut self, request: RequestId) {
        self.fail(request, RequestFailure::Canceled);
    }

    fn fail(&mut self, request: RequestId, reason: RequestFailure) {
        if self.waiting.remove(&request).is_some() {
            self.outbox.event(PhoneEvent::RequestFailed { request, reason });
        }
    }
}

impl fmt::Debug for PhoneEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneEnd")
            .field("state", &self.link.state())
            .field("is_ready", &self.is_ready())
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
