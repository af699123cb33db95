//! What both ends share: one connection at a time, its deadlines, and when to make the next one.

use core::time::Duration;

use super::backoff::{Backoff, BackoffLimits};
use super::clock::{ConnectionId, Now, Times};
use crate::relay::Drain;

/// Why a connection has ended.
///
/// See the example of [`session`](crate::session).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// It could not be made, in time or at all.
    ConnectFailed,
    /// REGISTER or CONNECT was not answered in time.
    NoAnswer,
    /// Nothing arrived on it for too long.
    Silence,
    /// The program has reported that it is lost.
    Lost,
    /// The relay is going down.
    Drained,
    /// The relay has refused a request; an event before this one says which.
    Refused,
    /// The other side broke the protocol.
    ProtocolError,
    /// The program has stopped the end.
    Stopped,
}

impl DisconnectReason {
    /// The reason as logs and other languages name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectFailed => "connect_failed",
            Self::NoAnswer => "no_answer",
            Self::Silence => "silence",
            Self::Lost => "lost",
            Self::Drained => "drained",
            Self::Refused => "refused",
            Self::ProtocolError => "protocol_error",
            Self::Stopped => "stopped",
        }
    }
}

/// The moments at which a phase ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Time to connect.
    Dial,
    /// The connection, or the answer to the first frame, took too long.
    GiveUp(DisconnectReason),
    /// Time to send a PING.
    Ping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Stopped,
    /// For the next connection. `None`: until the program acts.
    Waiting {
        until: Option<Duration>,
    },
    Connecting {
        until: Duration,
    },
    /// Connected, and the first frame is sent.
    Opening {
        until: Duration,
    },
    Open {
        since: Duration,
        heard: Duration,
        next_ping: Duration,
    },
}

pub(super) struct Link {
    times: Times,
    backoff: Backoff,
    configured_url: String,
    /// Where a DRAIN has sent this end, for the next connection only.
    next_url: Option<String>,
    /// The URL of the connection that there is.
    url: String,
    connections: u64,
    phase: Phase,
}

impl Link {
    pub(super) fn new(url: String, times: Times, limits: BackoffLimits, seed: u64) -> Self {
        Self {
            times,
            backoff: Backoff::new(limits, seed),
            url: url.clone(),
            configured_url: url,
            next_url: None,
            connections: 0,
            phase: Phase::Stopped,
        }
    }

    pub(super) const fn times(&self) -> &Times {
        &self.times
    }

    pub(super) const fn backoff_mut(&mut self) -> &mut Backoff {
        &mut self.backoff
    }

    /// The URL of the connection that there is, or was last.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) const fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped)
    }

    pub(super) const fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. })
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. })
    }

    /// The current connection, from the moment it is requested.
    pub(super) const fn connection(&self) -> Option<ConnectionId> {
        match self.phase {
            Phase::Stopped | Phase::Waiting { .. } => None,
            _ => Some(ConnectionId::from_u64(self.connections)),
        }
    }

    fn is_current(&self, connection: ConnectionId) -> bool {
        self.connection() == Some(connection)
    }

    /// Whether this is the connection that there is, and it was reported as open.
    pub(super) fn is_connected(&self, connection: ConnectionId) -> bool {
        self.is_current(connection) && !matches!(self.phase, Phase::Connecting { .. })
    }

    /// In words, for errors.
    pub(super) const fn state(&self) -> &'static str {
        match self.phase {
            Phase::Stopped => "stopped",
            Phase::Waiting { .. } => "disconnected",
            Phase::Connecting { .. } => "connecting",
            Phase::Opening { .. } => "waiting for the relay's answer",
            Phase::Open { .. } => "open",
        }
    }

    /// Begins a connection, whatever there was.
    pub(super) fn dial(&mut self, now: Now) -> (ConnectionId, String) {
        self.connections = self.connections.saturating_add(1);
        self.url = self.next_url.take().unwrap_or_else(|| self.configured_url.clone());
        self.phase = Phase::Connecting { until: now.monotonic.saturating_add(self.times.connect) };
        (ConnectionId::from_u64(self.connections), self.url.clone())
    }

    /// This connection is made; returns whether it was still awaited.
    pub(super) fn connected(&mut self, connection: ConnectionId, now: Now) -> bool {
        let was_awaited = self.is_current(connection) && matches!(self.phase, Phase::Connecting { .. });
        if was_awaited {
            self.phase = Phase::Opening { until: now.monotonic.saturating_add(self.times.answer) };
        }
        was_awaited
    }

    /// The relay has accepted.
    pub(super) fn opened(&mut self, now: Now) {
        let since = now.monotonic;
        // The first one comes at a random moment, because all instances of a restarted relay come back together.
        let next_ping = since.saturating_add(self.backoff.spread(self.times.ping));
        self.phase = Phase::Open { since, heard: since, next_ping };
    }

    /// Something arrived.
    pub(super) fn heard(&mut self, now: Now) {
        if let Phase::Open { heard, .. } = &mut self.phase {
            *heard = now.monotonic;
        }
    }

    /// A PING is sent.
    pub(super) fn pinged(&mut self, now: Now) {
        if let Phase::Open { next_ping, .. } = &mut self.phase {
            *next_ping = now.monotonic.saturating_add(self.times.ping);
        }
    }

    /// The connection is over; the next one is made after the back-off.
    pub(super) fn lost(&mut self, now: Now) -> Duration {
        let wait = self.next_wait(now);
        self.wait(now, wait)
    }

    /// How long to wait if the connection is over now.
    pub(super) fn next_wait(&mut self, now: Now) -> Duration {
        let open = match self.phase {
            Phase::Open { since, .. } => now.monotonic.saturating_sub(since),
            _ => Duration::ZERO,
        };
        self.backoff.after(open)
    }

    /// The reason to give when the program reports this connection as lost; `None` if it is not the one that there is.
    pub(super) fn loss(&self, connection: ConnectionId, is_draining: bool) -> Option<DisconnectReason> {
        self.is_current(connection).then_some(match self.phase {
            _ if is_draining => DisconnectReason::Drained,
            Phase::Opening { .. } | Phase::Open { .. } => DisconnectReason::Lost,
            _ => DisconnectReason::ConnectFailed,
        })
    }

    /// The connection is over for this reason.
    pub(super) fn lost_for(&mut self, reason: DisconnectReason, now: Now) -> Duration {
        if reason == DisconnectReason::Drained { self.drained(now) } else { self.lost(now) }
    }

    /// The relay is going down: the next connection is made soon, but not by all instances at once.
    pub(super) fn drained(&mut self, now: Now) -> Duration {
        let wait = self.backoff.first();
        self.wait(now, wait)
    }

    /// The connection is over; the next one is made after `wait`.
    pub(super) fn wait(&mut self, now: Now, wait: Duration) -> Duration {
        let until = now.monotonic.saturating_add(wait);
        self.phase = Phase::Waiting { until: Some(until) };
        until
    }

    /// The connection is over; the next one is made when the program acts.
    pub(super) const fn wait_for_program(&mut self) {
        self.phase = Phase::Waiting { until: None };
    }

    pub(super) const fn stop(&mut self) {
        self.phase = Phase::Stopped;
    }

    /// Takes the URL that a DRAIN names, for the next connection only, if `check` accepts it. A session over TLS never
    /// moves to one without it: otherwise anyone who can write a DRAIN could read the credential that follows.
    pub(super) fn take_drain_url(&mut self, drain: &Drain, check: impl FnOnce(&str) -> Option<String>) {
        let Some(url) = drain.reconn_url.as_deref().map(str::trim).filter(|url| !url.is_empty()) else { return };
        let is_tls = |url: &str| url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("wss:"));
        self.next_url = check(url).filter(|url| is_tls(url) || !is_tls(&self.configured_url));
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Stopped => None,
            Phase::Waiting { until } => until,
            Phase::Connecting { until } | Phase::Opening { until } => Some(until),
            Phase::Open { heard, next_ping, .. } => Some(next_ping.min(heard.saturating_add(self.times.silence))),
        }
    }

    /// What is due now.
    pub(super) fn due(&self, now: Now) -> Option<Due> {
        let is_past = |moment: Duration| now.monotonic >= moment;
        match self.phase {
            Phase::Waiting { until: Some(until) } if is_past(until) => Some(Due::Dial),
            Phase::Connecting { until } if is_past(until) => Some(Due::GiveUp(DisconnectReason::ConnectFailed)),
            Phase::Opening { until } if is_past(until) => Some(Due::GiveUp(DisconnectReason::NoAnswer)),
            Phase::Open { heard, .. } if is_past(heard.saturating_add(self.times.silence)) => {
                Some(Due::GiveUp(DisconnectReason::Silence))
            }
            Phase::Open { next_ping, .. } if is_past(next_ping) => Some(Due::Ping),
            _ => None,
        }
    }
}
