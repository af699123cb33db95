//! One conversation through the relay, without I/O: messages and the time go in; messages, events and the next deadline
//! come out. There is no clock, no socket and no thread here: the program provides them, whatever language it is
//! written in.
//!
//! - [`InstanceEnd`]: the runtime's end. It registers, stays registered, and turns phones' channels into requests in
//!   plain text.
//! - [`PhoneEnd`]: the phone's end. It connects, verifies the instance's identity before it sends a request, and
//!   matches answers to requests.
//! - [`RelaySide`]: the relay's view of one connection of either role. It decides what may arrive when, what must never
//!   be forwarded and how much a sender may cost; routing between connections is left to the relay.
//!
//! # The loop around an end
//!
//! Every end is driven in the same way:
//!
//! 1. `start` once.
//! 2. After **every** call that takes `now`, and after every other request to the end, call `poll_output` until it
//!    returns `None`, and do what each [`Output`] says, in its order.
//! 3. Wait for whatever comes first: something on the connection, or the moment of `poll_timeout`, which is on the
//!    monotonic clock of [`Now`].
//! 4. Report it: `handle_connected`, `handle_message` and `handle_disconnected` for a connection, `handle_timeout` for
//!    the moment. Go on with 2.
//!
//! An end has at most one connection at a time. Each has a [`ConnectionId`]; whatever is reported about an earlier one
//! is ignored, so a program need not filter late reports from its tasks. A WebSocket connection carries one frame in
//! each binary message; the program refuses messages longer than [`MAX_MESSAGE_LEN`] before it has read them
//! completely, and reports a text message as a lost connection.
//!
//! ```
//! use core::time::Duration;
//! use pulse_trust::relay::Identity;
//! use pulse_trust::session::{InstanceConfig, InstanceEnd, Now, Output};
//! use pulse_trust::UnixTime;
//!
//! let config = InstanceConfig::new("wss://relay.example.test/ws/instance", "a lease", "a secret", Identity::generate()?);
//! let mut end = InstanceEnd::new(config, 7)?;
//! let mut now = Now::new(Duration::ZERO, UnixTime::from_secs(1_774_440_000));
//! end.start(now);
//! let Some(Output::Connect { connection, url }) = end.poll_output() else { panic!("it connects first") };
//! assert_eq!(url, "wss://relay.example.test/ws/instance");
//! // The program has connected, and says so.
//! end.handle_connected(connection, now);
//! assert!(matches!(end.poll_output(), Some(Output::Send { .. }))); // REGISTER
//! // No answer for 15 seconds: the end gives up, and will try again.
//! assert_eq!(end.poll_timeout(), Some(Duration::from_secs(15)));
//! now.monotonic = Duration::from_secs(15);
//! end.handle_timeout(now);
//! assert!(matches!(end.poll_output(), Some(Output::Disconnect { .. })));
//! # Ok::<(), pulse_trust::Error>(())
//! ```
//!
//! # How long a registration lasts
//! A relay ends a registration with its credential. An instance that was given a newer one
//! ([`InstanceEnd::set_credential`]) renews it on the same connection, with another REGISTER, some minutes before the
//! end: its phones do not notice. A relay that does not support this answers with an error or closes the connection,
//! and the instance registers again.

mod backoff;
mod clock;
mod instance;
mod link;
mod outbox;
mod phone;
mod refresh;
mod relay_side;
mod relay_side_channels;
mod relay_side_events;
mod relay_side_quota;
#[cfg(test)]
mod relay_side_tests;
mod token;

pub use backoff::BackoffLimits;
pub use clock::{ConnectionId, Now, Times};
pub use instance::{ChannelEnd, InstanceConfig, InstanceEnd, InstanceEvent, InstanceLimits};
pub use link::DisconnectReason;
pub use outbox::{CloseCode, Output};
pub use phone::{Advice, PhoneConfig, PhoneEnd, PhoneEvent, PhoneLimits, RequestFailure, RequestId};
pub use refresh::LeaseRefresh;
pub use relay_side::RelaySide;
pub use relay_side_channels::ChannelRefusal;
pub use relay_side_events::{
    MAX_REASON_LEN, Rate, RelayEvent, RelayFault, RelaySideLimits, RelayTimeout, RelayedEnd, cut_reason,
};
pub use token::is_auth_token_known;

/// The longest message of a connection: a frame's header and its longest payload.
pub const MAX_MESSAGE_LEN: usize = crate::relay::HEADER_LEN.saturating_add(crate::relay::MAX_PAYLOAD_LEN);

/// The longest text from the other side that an event passes on, in characters.
const MAX_TEXT_LEN: usize = 200;

/// What the other side said, cut to a length that fits in a log.
fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT_LEN).collect()
}
