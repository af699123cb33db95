//! pulse-trust
#![forbid(unsafe_op_in_unsafe_fn)]

mod encoding;
pub mod error;
mod json;
pub mod keys;
mod time;
pub mod token;

pub use error::{Error, Result};
pub use time::UnixTime;
