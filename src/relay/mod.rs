//! Registration, identity, config, frames and channel encryption: what the relay, the instance and the phone agree on.
//!
//! - [`Admission`] answers REGISTER: a credential and a time go in, a [`Registration`] or an error comes out
//!   ([formats: admission](crate::_documentation::formats#admission)).
//! - [`Identity`] is the key pair by which a phone recognizes an instance; [`IdentityProof`] shows the relay that
//!   whoever registers holds it.
//! - [`RelayConfig`] is the runtime's configuration, as `relay.enc` holds it.
//! - [`Frame`] and the payload types are the messages on the wire
//!   ([formats: frames](crate::_documentation::formats#frames)).
//! - [`AppHandshake`] and [`Channel`] encrypt what phone and instance say to each other.
//!
//! Programs that hold a conversation use [`crate::session`], which puts these together.

mod admission;
mod channel;
mod config;
mod control;
mod frame;
mod identity;
mod identity_proof;
mod instance_id;
mod key_exchange;
mod proxy;
mod revocation;

pub use crate::reason::{DisabledBy, RevokedKind};
pub use crate::wire_error::WireErrorCode;
pub use admission::{Admission, DefaultInstanceIdRule, InstanceIdRule, Registration};
pub use channel::{Channel, SEALED_OVERHEAD};
pub use config::{DEFAULT_SERVER_URL, RelayConfig, RelayEnvironment, validate_server_url};
pub use control::{
    ChannelClose, ChannelOpen, Connect, ConnectAck, ControlPayload, Drain, ErrorMessage, NotificationPreferences,
    PushNotification, Register, RegisterAck,
};
pub use frame::{Frame, FrameType, HEADER_LEN, MAX_PAYLOAD_LEN};
pub use identity::Identity;
pub use identity_proof::{IdentityProof, MAX_PROOF_AGE, relay_host};
pub use instance_id::InstanceId;
#[cfg(feature = "hazmat")]
pub use key_exchange::danger_accept_with_ephemeral_secret;
pub use key_exchange::{AppHandshake, accept_key_exchange};
pub use proxy::{Body, MAX_BODY_LEN, ProxyRequest, ProxyResponse};
pub use revocation::{NoRevocations, RevocationList, RevocationSubject, Revocations};
