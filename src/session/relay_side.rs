//! The relay's view of one connection: what may arrive when, what must never be forwarded, and how much a sender may
//! cost.

use std::time::Duration;

use super::relay_side_channels::{ChannelRefusal, RelayedChannels, Stray};
use super::relay_side_events::{RelayEvent, RelayFault, RelaySideLimits, RelayTimeout, RelayedEnd, cut_reason};
use super::relay_side_quota::Quota;
use crate::relay::{ChannelClose, Connect, ControlPayload, Frame, FrameType, PushNotification, Register};

/// The relay's view of one connection of either role, without I/O.
///
/// `R` is the relay's own handle for the other end of a channel: a reference to its connection and the channel's id
/// there. Routing between connections stays with the relay; this type decides for one connection alone.
///
/// The order of calls:
///
/// 1. [`RelaySide::new`] when the WebSocket handshake is done.
/// 2. [`RelaySide::receive`] for each binary message; do what its event says.
/// 3. [`RelaySide::handle_timeout`] when [`RelaySide::next_timeout`] is reached. Ask for it again after every call.
/// 4. When the connection ends, [`RelaySide::end`] gives the channels whose other ends must be told.
///
/// Times are counted from any moment that the caller chooses, on a clock that never goes back.
///
/// ```
/// use std::time::Duration;
/// use pulse_trust::relay::{Connect, ControlPayload, Frame, FrameType};
/// use pulse_trust::session::{RelayEvent, RelaySide, RelaySideLimits, RelayedEnd};
///
/// let start = Duration::ZERO;
/// let mut app: RelaySide<&str> = RelaySide::new(RelayedEnd::App, RelaySideLimits::default(), start);
/// let connect = Connect::new("relay_1", "token").to_frame(0)?;
/// assert!(matches!(app.receive(&connect, start), Ok(RelayEvent::Connect(_))));
///
/// let channel = app.next_channel();
/// app.offer(channel, "the instance", start);
/// let data = Frame::new(FrameType::Data, channel, b"sealed").encode()?;
/// assert!(!matches!(app.receive(&data, start), Ok(RelayEvent::Forward { .. })), "the instance has not accepted it");
/// assert!(app.accepted(channel));
/// assert!(matches!(app.receive(&data, start), Ok(RelayEvent::Forward { .. })));
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug)]
pub struct RelaySide<R> {
    end: RelayedEnd,
    limits: RelaySideLimits,
    channels: RelayedChannels<R>,
    /// Registered, or a channel was accepted.
    is_welcome: bool,
    is_draining: bool,
    began_at: Duration,
    heard_at: Duration,
    registrations: Quota,
    refused_connects: Quota,
    unforwarded: Quota,
}

impl<R: Clone> RelaySide<R> {
    /// A connection whose WebSocket handshake is done at `now`.
    pub fn new(end: RelayedEnd, limits: RelaySideLimits, now: Duration) -> Self {
        Self {
            end,
            channels: RelayedChannels::new(),
            is_welcome: false,
            is_draining: false,
            began_at: now,
            heard_at: now,
            registrations: Quota::new(limits.registrations),
            refused_connects: Quota::new(limits.refused_connects),
            unforwarded: Quota::new(limits.unforwarded_frames),
            limits,
        }
    }

    /// Takes the bytes of a binary message.
    ///
    /// # Errors
    /// A [`RelayFault`]: send its ERROR frame, close with its code, and accept nothing more.
    pub fn receive<'a>(&mut self, bytes: &'a [u8], now: Duration) -> Result<RelayEvent<'a, R>, RelayFault> {
        self.heard_at = now;
        let frame = Frame::decode(bytes).map_err(RelayFault::protocol)?;
        self.channels.forget_gone(now);
        let event = match (frame.frame_type, self.end) {
            (FrameType::Register, RelayedEnd::Instance) => self.register(&frame, now)?,
            (FrameType::Ping, _) => RelayEvent::Answer(encode(FrameType::Pong, 0, b"")),
            (FrameType::Pong | FrameType::Error, _) => RelayEvent::Nothing,
            (other, RelayedEnd::Instance) if !self.is_welcome => {
                return Err(RelayFault::auth_failed(format!("expected REGISTER first, received {other}")));
            }
            (FrameType::Connect, RelayedEnd::App) => self.connect(&frame, now)?,
            (FrameType::Data | FrameType::KeyExchange, _) => self.pass(frame),
            (FrameType::ChannelOpen, RelayedEnd::Instance) => self.accept(frame.channel),
            (FrameType::ChannelClose, _) => self.close(&frame, now)?,
            (FrameType::PushNotification, RelayedEnd::Instance) => {
                let notification = PushNotification::from_frame(&frame).map_err(RelayFault::protocol)?;
                RelayEvent::Notification(notification)
            }
            (other, RelayedEnd::Instance) => {
                return Err(RelayFault::protocol(format!("an instance must not send {other}")));
            }
            (other, RelayedEnd::App) => return Err(RelayFault::protocol(format!("an app must not send {other}"))),
        };
        let is_free = matches!(
            event,
            RelayEvent::Forward { .. }
                | RelayEvent::Register(_)
                | RelayEvent::UnreadableRegister(_)
                | RelayEvent::Accepted { .. }
                | RelayEvent::Closed { .. }
                | RelayEvent::Leftover { .. }
        );
        if !is_free {
            self.charge(now)?;
        }
        Ok(event)
    }

    /// Counts a frame that is not forwarded.
    fn charge(&mut self, now: Duration) -> Result<(), RelayFault> {
        if self.unforwarded.take(now) {
            return Ok(());
        }
        Err(RelayFault::rate_limited("too many frames that belong to no accepted channel"))
    }

    fn register(&mut self, frame: &Frame<'_>, now: Duration) -> Result<RelayEvent<'static, R>, RelayFault> {
        if self.is_draining {
            return Err(RelayFault::draining());
        }
        if !self.registrations.take(now) {
            return Err(RelayFault::rate_limited("too many REGISTERs on one connection"));
        }
        Ok(match Register::from_frame(frame) {
            Ok(register) => RelayEvent::Register(register),
            Err(error) => RelayEvent::UnreadableRegister(RelayFault::auth_failed(error)),
        })
    }

    fn connect(&mut self, frame: &Frame<'_>, now: Duration) -> Result<RelayEvent<'static, R>, RelayFault> {
        if self.is_draining {
            return Err(RelayFault::draining());
        }
        if !self.refused_connects.has_room(now) {
            return Err(RelayFault::rate_limited("too many refused CONNECTs: check the code, then wait"));
        }
        let connect = Connect::from_frame(frame).map_err(RelayFault::protocol)?;
        Ok(RelayEvent::Connect(connect))
    }

    fn accept(&mut self, channel: u32) -> RelayEvent<'static, R> {
        match self.channels.accept(channel).cloned() {
            Some(route) => RelayEvent::Accepted { channel, route },
            None if self.channels.get(channel).is_some() => RelayEvent::Nothing,
            None => RelayEvent::Answer(no_such_channel(channel)),
        }
    }

    fn close(&mut self, frame: &Frame<'_>, now: Duration) -> Result<RelayEvent<'static, R>, RelayFault> {
        let is_known = self.channels.get(frame.channel).is_some();
        // Before the channel is removed: if this ends the connection, the channel must be among those that `end` gives.
        if is_known && self.end == RelayedEnd::App {
            self.charge(now)?;
        }
        let Some(gone) = self.channels.remove(frame.channel) else {
            return Ok(RelayEvent::Nothing);
        };
        let reason = ChannelClose::from_frame(frame).map(|close| close.reason).unwrap_or_default();
        Ok(RelayEvent::Closed {
            channel: frame.channel,
            route: gone.route,
            was_accepted: gone.accept_by.is_none(),
            reason: cut_reason(&reason).to_owned(),
        })
    }

    fn pass<'a>(&mut self, frame: Frame<'a>) -> RelayEvent<'a, R> {
        match self.channels.get(frame.channel) {
            // A draining relay accepts no new request, so that those in progress can be answered.
            Some(_) if self.is_draining && self.end == RelayedEnd::App => RelayEvent::Nothing,
            Some(channel) if channel.accept_by.is_none() => RelayEvent::Forward { frame, route: channel.route.clone() },
            Some(_) => RelayEvent::Answer(no_such_channel(frame.channel)),
            None => match self.channels.stray(frame.channel) {
                Stray::Told => RelayEvent::Answer(no_such_channel(frame.channel)),
                Stray::Dropped => RelayEvent::Leftover { channel: frame.channel },
            },
        }
    }

    /// Notes a ping or pong of the WebSocket itself, which its library answers.
    ///
    /// # Errors
    /// As [`RelaySide::receive`], if there are too many.
    pub fn receive_websocket_ping(&mut self, now: Duration) -> Result<(), RelayFault> {
        self.heard_at = now;
        if self.unforwarded.take(now) { Ok(()) } else { Err(RelayFault::rate_limited("too many pings")) }
    }

    /// The instance is registered.
    pub fn registered(&mut self) {
        self.is_welcome = true;
    }

    /// Whether this is an instance that is registered.
    pub fn is_registered(&self) -> bool {
        self.end == RelayedEnd::Instance && self.is_welcome
    }

    /// An id for a new channel on this connection.
    pub fn next_channel(&mut self) -> u32 {
        self.channels.next_id()
    }

    /// Whether one more channel may be offered.
    ///
    /// # Errors
    /// Which limit is reached.
    pub fn check_room(&self) -> Result<(), ChannelRefusal> {
        self.channels.check_room(self.limits.channels, self.limits.offered_channels)
    }

    /// Offers a channel; until the instance accepts it, nothing passes through it.
    pub fn offer(&mut self, channel: u32, route: R, now: Duration) {
        self.channels.offer(channel, route, now.saturating_add(self.limits.accept_timeout));
    }

    /// On the app's side: the instance has accepted. False if the channel is gone, or was accepted before.
    pub fn accepted(&mut self, channel: u32) -> bool {
        let is_news = self.channels.accept(channel).is_some();
        self.is_welcome |= is_news;
        is_news
    }

    /// A CONNECT of this app was refused, by the relay or by the instance, which uses up one of its tries.
    pub fn connect_refused(&mut self, now: Duration) {
        self.refused_connects.take(now);
    }

    /// Removes a channel that the other side closed; false if it was gone.
    pub fn remove(&mut self, channel: u32) -> bool {
        self.channels.remove(channel).is_some()
    }

    /// Whether there is such a channel, and the instance has accepted it.
    pub fn is_accepted(&self, channel: u32) -> bool {
        self.channels.get(channel).is_some_and(|channel| channel.accept_by.is_none())
    }

    /// The other end of a channel, accepted or not.
    pub fn route(&self, channel: u32) -> Option<R> {
        self.channels.get(channel).map(|channel| channel.route.clone())
    }

    /// Channels, accepted or not.
    pub fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// The other ends of the channels, in the order of their ids.
    pub fn routes(&self) -> impl Iterator<Item = &R> {
        self.channels.routes()
    }

    /// From now on nothing new is accepted: no registration, no channel, no request.
    pub fn drain(&mut self) {
        self.is_draining = true;
    }

    /// The connection is over. Returns its channels, whose other ends must be told.
    pub fn end(&mut self) -> Vec<(u32, R)> {
        self.channels.drain()
    }

    /// When [`RelaySide::handle_timeout`] is to be called.
    pub fn next_timeout(&self) -> Duration {
        let limit = self.welcome_timeout();
        let offer = self.channels.first_offer_to_end().map_or(Duration::MAX, |(at, _)| at);
        limit.min(self.heard_at.saturating_add(self.limits.silence_timeout)).min(offer)
    }

    fn welcome_timeout(&self) -> Duration {
        if self.is_welcome { Duration::MAX } else { self.began_at.saturating_add(self.limits.hello_timeout) }
    }

    /// Notes that the relay is not reading from this connection, so its silence does not count against it.
    pub fn postpone_silence(&mut self, now: Duration) {
        self.heard_at = now;
    }

    /// What has timed out at `now`; call it again until there is nothing more.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<RelayTimeout<R>> {
        if let Some((at, channel)) = self.channels.first_offer_to_end()
            && at <= now
        {
            let route = self.channels.remove(channel)?.route;
            return Some(RelayTimeout::NotAccepted { channel, route });
        }
        let message = if self.welcome_timeout() <= now {
            match self.end {
                RelayedEnd::Instance => "no REGISTER came in time",
                RelayedEnd::App => "no channel was accepted in time",
            }
        } else if self.heard_at.saturating_add(self.limits.silence_timeout) <= now {
            "nothing came for too long: send a PING every 25 s"
        } else {
            return None;
        };
        Some(RelayTimeout::Fault(RelayFault::timed_out(message)))
    }
}

fn no_such_channel(channel: u32) -> Vec<u8> {
    let close = ChannelClose { channel_id: channel, reason: "there is no accepted channel of this id".to_owned() };
    close.to_frame(channel).unwrap_or_default()
}

fn encode(frame_type: FrameType, channel: u32, payload: &[u8]) -> Vec<u8> {
    Frame::new(frame_type, channel, payload).encode().unwrap_or_default()
}
