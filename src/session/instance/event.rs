//! What an instance's end tells its program.

use core::time::Duration;

use crate::entitlement::{RefreshRequest, VerifiedLease};
use crate::error::Error;
use crate::relay::{ErrorMessage, ProxyRequest};
use crate::secret::Secret;
use crate::session::DisconnectReason;
use crate::session::refresh::RefreshFailure;
use crate::time::UnixTime;

/// What an instance's program is told. Its `Debug` output shows no token and no body.
///
/// See the example of [`session`](crate::session).
#[derive(Debug)]
#[non_exhaustive]
pub enum InstanceEvent {
    /// The relay knows the instance, and phones reach it.
    Registered {
        /// Under this id.
        instance_id: String,
        /// Whether an earlier session was resumed.
        resumed: bool,
        /// When the registration ends; `None` if the relay does not say.
        expires_at: Option<UnixTime>,
    },
    /// The registration was extended, on the same connection.
    Renewed {
        /// When the registration ends; `None` if the relay does not say.
        expires_at: Option<UnixTime>,
    },
    /// The relay has refused the registration, or has ended it. The next try is `retry_at` or, where that is `None`,
    /// when the program calls [`super::InstanceEnd::set_credential`].
    Refused {
        /// The relay's code and words, cut to a length that fits in a log.
        error: ErrorMessage,
        /// The next try, on the monotonic clock.
        retry_at: Option<Duration>,
    },
    /// The connection is over, and every channel with it.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// The next try, on the monotonic clock; `None` if none is planned.
        retry_at: Option<Duration>,
    },
    /// The relay is going down. Requests that wait for their answers may still be answered.
    Draining {
        /// The reason, in the relay's words.
        reason: String,
    },
    /// A phone wants a channel. Judge the token ([`crate::session::is_auth_token_known`]), then call
    /// [`super::InstanceEnd::accept`] or [`super::InstanceEnd::refuse`].
    ChannelOffered {
        /// The channel, until an event says that it has ended.
        channel: u32,
        /// What the phone presents. The relay has seen it.
        auth_token: Secret,
    },
    /// From now on nobody but the phone can read what is sent on the channel.
    ChannelSecured {
        /// This channel.
        channel: u32,
    },
    /// A channel has ended. Nothing more can be sent on it, and its requests need no answer.
    ChannelEnded {
        /// This channel.
        channel: u32,
        /// Why.
        end: ChannelEnd,
    },
    /// A phone asks something, in plain text: answer with [`super::InstanceEnd::respond`].
    Request {
        /// On this channel.
        channel: u32,
        /// What it asks. Method and path are trimmed and not empty.
        request: ProxyRequest,
    },
    /// The relay says that something failed, and the connection goes on.
    RelayError {
        /// The channel that it concerns; 0 for none.
        channel: u32,
        /// Its code and words, cut to a length that fits in a log.
        error: ErrorMessage,
    },
    /// Send this request to the control plane, and report with [`super::InstanceEnd::handle_refresh_answer`] or
    /// [`super::InstanceEnd::handle_refresh_failure`].
    RefreshDue(RefreshRequest),
    /// There is a new lease, which the end registers with from now on. Save it (`hosted::save_refreshed_lease`): it
    /// replaces the old one.
    LeaseRefreshed {
        /// **Secret**: the refresh token that was asked with. What holds another one is not to be replaced.
        refresh_token: Secret,
        /// **Secret**: the lease.
        token: Secret,
        /// What it says.
        lease: Box<VerifiedLease>,
    },
    /// The refresh has failed, was not answered in time, or did not reach the control plane. It will be tried again.
    RefreshFailed {
        /// Why.
        error: Error,
        /// The next try, on the monotonic clock.
        retry_at: Duration,
    },
    /// The control plane has refused the refresh for good. Clear the lease and the refresh token, and save the state
    /// `expired` (`hosted::clear_lost_lease`). The end has disconnected, waits for another credential, and refreshes
    /// nothing anymore: if there is another lease meanwhile, make a new end.
    LeaseLost {
        /// **Secret**: the refresh token that was refused. What holds another one is not to be cleared.
        refresh_token: Secret,
        /// The HTTP status.
        status: u16,
    },
}

impl From<RefreshFailure> for InstanceEvent {
    fn from(failure: RefreshFailure) -> Self {
        Self::RefreshFailed { error: failure.error, retry_at: failure.retry_at }
    }
}

/// Why a channel has ended.
///
/// See the example of [`session`](crate::session).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelEnd {
    /// The phone or the relay has closed it; its words, cut to a length that fits in a log.
    Closed(String),
    /// The connection has ended.
    Disconnected,
    /// The phone, or the relay in its name, broke the protocol.
    ProtocolError(Error),
    /// The phone did not exchange keys or ask anything in time.
    Idle,
    /// More is waiting to be sent to the phone than the instance keeps.
    TooSlow,
}
