//! The C contract: what `include/pulse_trust.h` declares (feature `capi`). The only `unsafe` code of the crate.
//!
//! Each function does one whole job. What can fail returns a [`pulse_status`] and writes its outputs only where that is
//! 0; a last parameter, which may be NULL, takes an owned [`pulse_error`] with number and text. Nothing is kept in
//! thread-local storage, so a goroutine may change threads between two calls. A panic ends at this line as
//! `PULSE_ERR_PANIC`.

#![allow(unsafe_code, non_camel_case_types)]

pub mod admission;
pub mod buffer;
mod call;
pub mod channel;
pub mod data_dir;
pub mod error;
pub mod frame;
pub mod hosted;
pub mod identity;
pub mod ids;
mod json;
pub mod keys;
pub mod pairing;
#[cfg(feature = "panic-probe")]
pub mod panic_probe;
pub mod token;
#[cfg(target_family = "wasm")]
pub mod wasm;

pub use buffer::pulse_buffer;
pub use error::{pulse_error, pulse_status};
