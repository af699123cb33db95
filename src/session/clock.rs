//! The time, as it is passed to an end.

use core::fmt;
use core::time::Duration;

use crate::time::UnixTime;

/// The time of one call, on two clocks.
///
/// See the example of [`session`](crate::session).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Now {
    /// A clock that never goes back, counted from any moment that stays the same as long as the end lives. Deadlines
    /// are on this clock. A time before that of an earlier call is taken as it is and only makes deadlines come later.
    pub monotonic: Duration,
    /// The wall clock, which may jump: for signatures and for the expiry of leases.
    pub wall: UnixTime,
}

impl Now {
    /// This moment on both clocks.
    pub const fn new(monotonic: Duration, wall: UnixTime) -> Self {
        Self { monotonic, wall }
    }
}

/// One connection of an end. An end never uses a number twice.
///
/// See the example of [`session`](crate::session).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// The connection of this number, for a program that kept the number.
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The waiting times of an end. The default is what the deployed runtime does.
///
/// ```
/// use core::time::Duration;
/// use pulse_trust::session::Times;
/// let mut times = Times::default();
/// times.answer = Duration::from_secs(5);
/// assert_eq!(times.silence, Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// For a connection to be made: 15 s.
    pub connect: Duration,
    /// For the answer to REGISTER or CONNECT, and for the key exchange: 15 s.
    pub answer: Duration,
    /// Between two pings, and at most until the first: 25 s.
    pub ping: Duration,
    /// For any sign of life, before the connection counts as lost: 60 s.
    pub silence: Duration,
    /// For answers that are under way when the relay drains, before the connection is closed: 10 s.
    pub drain: Duration,
    /// After the relay has refused the credential, or another runtime has taken over the registration: 5 min.
    pub refused: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(15),
            answer: seconds(15),
            ping: seconds(25),
            silence: seconds(60),
            drain: seconds(10),
            refused: seconds(300),
        }
    }
}
