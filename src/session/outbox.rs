//! What an end wants its program to do, in order.

use core::fmt;
use std::collections::{BTreeMap, VecDeque};

use super::clock::ConnectionId;
use zeroize::Zeroize as _;

use crate::error::{Error, Result};
use crate::relay::{Frame, FrameType};

/// What the program is to do next. `E` is the end's kind of event.
///
/// See the example of [`session`](crate::session).
#[non_exhaustive]
pub enum Output<E> {
    /// Open a WebSocket connection to this URL, and report it with `handle_connected`, or with `handle_disconnected` if
    /// it fails. The URL was validated; do not follow a redirect from it, as a credential is sent there.
    Connect {
        /// The new connection.
        connection: ConnectionId,
        /// `ws://` or `wss://`.
        url: String,
    },
    /// Send this as one binary message.
    Send {
        /// On this connection.
        connection: ConnectionId,
        /// A frame.
        message: Vec<u8>,
    },
    /// Close the connection, or give up opening it. Nothing about it needs to be reported anymore.
    Disconnect {
        /// This connection.
        connection: ConnectionId,
        /// With this status code.
        code: CloseCode,
    },
    /// Something that the program is told about.
    Event(E),
}

/// A message may carry a credential: only its length is shown.
impl<E: fmt::Debug> fmt::Debug for Output<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { connection, url } => write!(f, "Connect({connection}, {url})"),
            Self::Send { connection, message } => write!(f, "Send({connection}, {} bytes)", message.len()),
            Self::Disconnect { connection, code } => write!(f, "Disconnect({connection}, {})", code.as_u16()),
            Self::Event(event) => event.fmt(f),
        }
    }
}

/// The status code with which a WebSocket connection is closed (RFC 6455, section 7.4.1).
///
/// See the example of [`session`](crate::session).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCode {
    /// 1000: the end is done.
    Normal,
    /// 1001: this end is going away.
    GoingAway,
    /// 1002: the other side broke the protocol.
    ProtocolError,
    /// 1008: the content is not acceptable, whatever its form.
    PolicyViolation,
}

impl CloseCode {
    /// The number on the wire.
    pub const fn as_u16(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::GoingAway => 1001,
            Self::ProtocolError => 1002,
            Self::PolicyViolation => 1008,
        }
    }
}

/// The outputs that wait, and how many bytes of messages they hold.
pub(super) struct Outbox<E> {
    waiting: VecDeque<(u32, Output<E>)>,
    queued: usize,
    queued_of_channel: BTreeMap<u32, usize>,
}

impl<E> Outbox<E> {
    pub(super) const fn new() -> Self {
        Self { waiting: VecDeque::new(), queued: 0, queued_of_channel: BTreeMap::new() }
    }

    pub(super) fn pop(&mut self) -> Option<Output<E>> {
        let (channel, output) = self.waiting.pop_front()?;
        if let Output::Send { message, .. } = &output {
            self.forget(channel, message.len());
        }
        if self.waiting.is_empty() {
            // An idle end holds no memory for what it once sent.
            self.waiting = VecDeque::new();
        }
        Some(output)
    }

    pub(super) fn event(&mut self, event: E) {
        self.waiting.push_back((0, Output::Event(event)));
    }

    pub(super) fn connect(&mut self, connection: ConnectionId, url: String) {
        self.waiting.push_back((0, Output::Connect { connection, url }));
    }

    /// Closes a connection; what was still to be sent on it goes out first.
    pub(super) fn disconnect(&mut self, connection: ConnectionId, code: CloseCode) {
        self.waiting.push_back((0, Output::Disconnect { connection, code }));
    }

    /// A frame of `channel`, or of none (0).
    pub(super) fn send(&mut self, connection: ConnectionId, channel: u32, message: Vec<u8>) {
        self.queued = self.queued.saturating_add(message.len());
        if channel != 0 {
            let of_channel = self.queued_of_channel.entry(channel).or_default();
            *of_channel = of_channel.saturating_add(message.len());
        }
        self.waiting.push_back((channel, Output::Send { connection, message }));
    }

    /// A frame with this payload, whose length the caller has checked, where there is a connection.
    pub(super) fn send_payload(
        &mut self,
        connection: Option<ConnectionId>,
        frame_type: FrameType,
        channel: u32,
        payload: &[u8],
    ) {
        if let Some(connection) = connection
            && let Ok(frame) = Frame::new(frame_type, channel, payload).encode()
        {
            self.send(connection, channel, frame);
        }
    }

    /// Whether `more` bytes of a channel may wait too.
    pub(super) fn check_room(&self, channel: u32, more: usize, limit: usize, limit_of_channel: usize) -> Result<()> {
        let of_channel = self.queued_of_channel.get(&channel).copied().unwrap_or_default();
        for (queued, limit) in [(self.queued, limit), (of_channel, limit_of_channel)] {
            if queued.saturating_add(more) > limit {
                return Err(Error::SendQueueFull { limit, queued });
            }
        }
        Ok(())
    }

    /// Bytes that wait to be sent.
    pub(super) const fn queued(&self) -> usize {
        self.queued
    }

    /// Drops the frames of a channel that has ended.
    pub(super) fn drop_channel(&mut self, channel: u32) {
        self.wipe_where(|of| of == channel);
        let dropped = self.queued_of_channel.remove(&channel).unwrap_or_default();
        self.queued = self.queued.saturating_sub(dropped);
    }

    /// Drops all frames: the connection is gone.
    pub(super) fn drop_frames(&mut self) {
        self.wipe_where(|_| true);
        self.queued_of_channel.clear();
        self.queued = 0;
    }

    /// Drops frames of channels. REGISTER, CONNECT and an accepted CHANNEL_OPEN have a credential in them.
    fn wipe_where(&mut self, is_dropped: impl Fn(u32) -> bool) {
        self.waiting.retain_mut(|(channel, output)| match output {
            Output::Send { message, .. } if is_dropped(*channel) => {
                message.zeroize();
                false
            }
            _ => true,
        });
    }

    fn forget(&mut self, channel: u32, bytes: usize) {
        self.queued = self.queued.saturating_sub(bytes);
        if let Some(of_channel) = self.queued_of_channel.get_mut(&channel) {
            *of_channel = of_channel.saturating_sub(bytes);
            if *of_channel == 0 {
                self.queued_of_channel.remove(&channel);
            }
        }
    }
}

impl<E> Drop for Outbox<E> {
    fn drop(&mut self) {
        self.drop_frames();
    }
}
