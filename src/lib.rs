//! pulse-trust

mod encoding;
pub mod entitlement;
pub mod error;
#[cfg(feature = "storage")]
pub mod hosted;
mod json;
pub mod keys;
pub mod pairing;
pub mod relay;
#[cfg(feature = "storage")]
pub mod storage;
mod time;
pub mod token;
mod url;
mod warning;

pub use error::{Error, Result};
pub use time::UnixTime;
pub use warning::Warning;
