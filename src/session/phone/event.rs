//! What a phone's end tells its program.

use core::fmt;
use core::time::Duration;

use crate::error::Error;
use crate::relay::{ErrorMessage, ProxyResponse, WireErrorCode};
use crate::session::DisconnectReason;

/// One request of a phone. An end never uses a number twice.
///
/// See the example of [`PhoneEnd`](crate::session::PhoneEnd).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(super) u64);

impl RequestId {
    /// The request of a number that [`RequestId::as_u64`] gave.
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Its number, for a program that keeps numbers.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a phone's program is told. Its `Debug` output shows no body.
///
/// See the example of [`PhoneEnd`](crate::session::PhoneEnd).
#[derive(Debug)]
#[non_exhaustive]
pub enum PhoneEvent {
    /// The instance has proved its identity, and nobody else reads what is sent. Requests may be made.
    Ready,
    /// An answer, or a piece of one.
    Response {
        /// To this request.
        request: RequestId,
        /// What the instance says.
        response: ProxyResponse,
        /// Whether it completes the answer. The request is then over.
        is_last: bool,
    },
    /// A request is over without a complete answer. It is not known whether the instance has acted on it.
    RequestFailed {
        /// This request.
        request: RequestId,
        /// Why.
        reason: RequestFailure,
    },
    /// The relay, or the instance by way of it, has refused the connection.
    Refused {
        /// Its code and words, cut to a length that fits on a screen.
        error: ErrorMessage,
        /// What this means for the user.
        advice: Advice,
        /// The next try, on the monotonic clock; `None` if none is made until [`super::PhoneEnd::start`].
        retry_at: Option<Duration>,
    },
    /// The peer is not the paired instance, or does not follow the key exchange. Nothing was sent to it, and the end
    /// has stopped. Warn the user.
    IdentityRefused {
        /// What was wrong.
        error: Error,
    },
    /// The relay is going down; answers that are under way may still arrive.
    Draining {
        /// The reason, in the relay's words.
        reason: String,
    },
    /// The channel is over. Every request that waited has failed before this event.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// The other side's own text, if it gave one, cut to a length that fits on a screen; otherwise empty.
        message: String,
        /// The next try, on the monotonic clock; `None` if none is made until [`super::PhoneEnd::start`].
        retry_at: Option<Duration>,
    },
}

/// Why a request is over without a complete answer.
///
/// See the example of [`PhoneEnd`](crate::session::PhoneEnd).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestFailure {
    /// No answer, or no further piece of one, in time.
    TimedOut,
    /// The channel ended before.
    Disconnected,
    /// The program has canceled it.
    Canceled,
}

impl RequestFailure {
    /// The reason as logs and other languages name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Disconnected => "disconnected",
            Self::Canceled => "canceled",
        }
    }
}

/// What a refusal means for the user of a phone.
///
/// See the example of [`PhoneEnd`](crate::session::PhoneEnd).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Nothing to do: the relay is busy, restarting or faulty. The end tries again.
    Wait,
    /// The instance is not connected to the relay: check whether it is running. The end tries again.
    CheckInstance,
    /// The instance does not know this phone: pair it again. The end has stopped.
    PairAgain,
    /// The instance's subscription does not include the relay: its owner must change that. The end tries again, rarely.
    CheckSubscription,
}

impl Advice {
    /// The advice as logs and other languages name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::CheckInstance => "check_instance",
            Self::PairAgain => "pair_again",
            Self::CheckSubscription => "check_subscription",
        }
    }

    /// What a code means. An unknown code is treated as a fault of the relay.
    pub const fn from_code(code: Option<WireErrorCode>) -> Self {
        match code {
            Some(WireErrorCode::AuthFailed) => Self::PairAgain,
            Some(WireErrorCode::InstanceNotFound | WireErrorCode::ChannelLimitReached) => Self::CheckInstance,
            Some(WireErrorCode::LicenseInvalid | WireErrorCode::LicenseExpired) => Self::CheckSubscription,
            _ => Self::Wait,
        }
    }
}
