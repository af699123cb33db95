//! The relay's registration, identity, config, frames and channel encryption (FORMATS 6, 7, 11, 12).

mod admission;
mod channel;
mod config;
mod control;
mod frame;
mod identity;
mod instance_id;
mod proxy;
mod revocation;
mod wire_error;

pub use admission::{Admission, DefaultInstanceIdRule, InstanceIdRule, Refusal, Registration};
pub use instance_id::InstanceId;
pub use revocation::{NoRevocations, RevocationList, RevocationSubject, Revocations};
pub use wire_error::WireErrorCode;
