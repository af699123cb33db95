//! What a frame means for the relay, how a connection may end, and how much it may cost.

use std::time::Duration;

use super::outbox::CloseCode;
use crate::relay::{Connect, Frame, PushNotification, Register, WireErrorCode};

/// The longest `reason` or `message` that the relay passes on or writes, in bytes: it must still fit its frame after
/// JSON has escaped every character of it.
pub const MAX_REASON_LEN: usize = 256;

/// Which end of the conversation a connection is.
///
/// See the example of [`RelaySide`](super::RelaySide).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelayedEnd {
    /// A runtime, which registers.
    Instance,
    /// A phone, which connects to an instance.
    App,
}

/// The limits of one connection.
///
/// See the example of [`RelaySide`](super::RelaySide).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RelaySideLimits {
    /// How long an instance has to register, and an app to have a channel accepted.
    pub hello_timeout: Duration,
    /// How long a connection may send nothing before it is closed.
    pub silence_timeout: Duration,
    /// How long an instance has to answer a CHANNEL_OPEN.
    pub accept_timeout: Duration,
    /// Accepted channels.
    pub channels: usize,
    /// Channels that wait for the instance's answer. They have a limit of their own, so that guessing tokens takes no
    /// accepted channel's place.
    pub offered_channels: usize,
    /// REGISTERs.
    pub registrations: Rate,
    /// CONNECTs that are refused.
    pub refused_connects: Rate,
    /// Frames that the relay answers or drops instead of forwarding them.
    pub unforwarded_frames: Rate,
}

impl Default for RelaySideLimits {
    fn default() -> Self {
        Self {
            hello_timeout: Duration::from_secs(15),
            silence_timeout: Duration::from_secs(60),
            accept_timeout: Duration::from_secs(15),
            channels: 64,
            offered_channels: 16,
            registrations: Rate::new(4, Duration::from_secs(15)),
            refused_connects: Rate::new(8, Duration::from_secs(2)),
            unforwarded_frames: Rate::new(256, Duration::from_millis(20)),
        }
    }
}

/// How often something may happen: so many times in a row, and one more time after each interval.
///
/// See the example of [`RelaySide`](super::RelaySide).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many times in a row.
    pub burst: u32,
    /// After how long one more time is allowed.
    pub interval: Duration,
}

impl Rate {
    /// This many times in a row, and one more after each interval.
    pub const fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval }
    }
}

/// What a frame means for the relay.
///
/// See the example of [`RelaySide`](super::RelaySide).
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayEvent<'a, R> {
    /// An instance asks to be registered: decide, then call
    /// [`RelaySide::registered`](crate::session::RelaySide::registered) or close the connection. Where it is registered
    /// ([`RelaySide::is_registered`](crate::session::RelaySide::is_registered)), it renews its registration with a
    /// newer credential; its channels stay, and a refusal leaves the registration it has.
    Register(Register),
    /// A REGISTER that cannot be read: refuse it like one that is not admitted. The connection is closed with this, unless
    /// it is registered: then it is told the code, and keeps the registration that it has.
    UnreadableRegister(RelayFault),
    /// An app asks for an instance: offer a channel on both sides, or call
    /// [`RelaySide::connect_refused`](crate::session::RelaySide::connect_refused).
    Connect(Connect),
    /// The instance accepts the channel: tell the other side
    /// ([`RelaySide::accepted`](crate::session::RelaySide::accepted)) and send the app its CONNECT_ACK.
    Accepted {
        /// The channel on this connection.
        channel: u32,
        /// The other end.
        route: R,
    },
    /// The sender closes the channel, which is gone on this side.
    Closed {
        /// The channel on this connection.
        channel: u32,
        /// The other end.
        route: R,
        /// Whether the instance had accepted it. If not, the app is told that it was refused.
        was_accepted: bool,
        /// The sender's words, at most [`MAX_REASON_LEN`] bytes.
        reason: String,
    },
    /// Pass the frame on, unread, with the other end's channel id.
    Forward {
        /// The frame as it came.
        frame: Frame<'a>,
        /// The other end.
        route: R,
    },
    /// A notification for the instance's phones.
    Notification(PushNotification),
    /// Send this frame back to the sender.
    Answer(Vec<u8>),
    /// A frame of a channel that was closed while it was on its way: it is dropped, and costs its sender nothing. The first
    /// of them is answered instead.
    Leftover {
        /// The channel on this connection.
        channel: u32,
    },
    /// Nothing is to be done.
    Nothing,
}

/// The connection is over: what the other side is told.
///
/// See the example of [`RelaySide`](super::RelaySide).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayFault {
    /// The code with which the connection is closed.
    pub close_code: CloseCode,
    /// The code of the ERROR frame that precedes it.
    pub code: WireErrorCode,
    /// What was expected and what came.
    pub message: String,
}

impl RelayFault {
    /// A frame that breaks the protocol.
    pub(super) fn protocol(message: impl ToString) -> Self {
        Self { close_code: CloseCode::ProtocolError, code: WireErrorCode::InternalError, message: message.to_string() }
    }

    pub(super) fn auth_failed(message: impl ToString) -> Self {
        Self { close_code: CloseCode::PolicyViolation, code: WireErrorCode::AuthFailed, message: message.to_string() }
    }

    pub(super) fn rate_limited(message: impl ToString) -> Self {
        Self { close_code: CloseCode::PolicyViolation, code: WireErrorCode::RateLimited, message: message.to_string() }
    }

    /// A timeout. Its code makes a runtime come back soon, because the runtime was slow, not refused.
    pub(super) fn timed_out(message: impl ToString) -> Self {
        Self {
            close_code: CloseCode::PolicyViolation,
            code: WireErrorCode::InternalError,
            message: message.to_string(),
        }
    }

    pub(super) fn draining() -> Self {
        let message = "the relay is going down: connect again".to_owned();
        Self { close_code: CloseCode::GoingAway, code: WireErrorCode::ServerDraining, message }
    }
}

/// A timeout.
///
/// See the example of [`RelaySide`](super::RelaySide).
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayTimeout<R> {
    /// The connection is over.
    Fault(RelayFault),
    /// The instance did not answer: the channel is gone on this side.
    NotAccepted {
        /// The channel on this connection.
        channel: u32,
        /// The other end.
        route: R,
    },
}

/// A text's first [`MAX_REASON_LEN`] bytes, cut between characters.
pub fn cut_reason(text: &str) -> &str {
    let end = (0..=MAX_REASON_LEN.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}
