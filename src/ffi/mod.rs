//! The C functions, which `include/pulse_trust.h` declares (feature `capi`). The only `unsafe` code of the crate, but for the
//! imports of `primitives::host`.
//!
//! Each function does one whole job. A function that can fail returns a [`pulse_status`], and writes its outputs only
//! if that is 0; the last parameter, which may be NULL, receives an owned [`pulse_error`] with number and text. Nothing
//! is kept in thread-local storage, so a goroutine may change threads between two calls. A panic ends here as
//! `PULSE_ERR_PANIC` (in WebAssembly, which cannot unwind, it is a trap). An allocation that fails aborts the process, but
//! for a key's tables.
//!
//! # The pointer contract
//! Every function relies on this, and on nothing else:
//! - A handle is NULL, or one that the library gave and that was not freed since. A function that takes it as `const`
//!   may run in many threads at once; one that takes it as mutable must be the only one that uses it. What is `const`
//!   is not changed, with one exception: from `pulse_data_dir_lock` to `pulse_data_dir_unlock` a data directory keeps
//!   its lock, behind a mutex of its own, and must stay in one thread.
//! - A pointer to bytes or text is NULL, or valid for reads of as many bytes as its length says.
//! - An output is NULL, or valid for a write.
//!
//! `call` guarantees the other half: NULL where it is not allowed is an error, panics are caught, and outputs are written
//! only on success.

#![allow(unsafe_code, non_camel_case_types)]
// The safety requirements are the pointer contract above, the same for each function.
#![allow(clippy::missing_safety_doc)]

pub mod admission;
pub mod billing;
pub mod buffer;
mod call;
pub mod channel;
pub mod data_dir;
pub mod error;
mod fault;
pub mod frame;
pub mod hosted;
pub mod identity;
pub mod ids;
mod json;
pub mod keys;
pub mod license_files;
pub mod pairing;
#[cfg(pulse_panic_probe)]
pub mod panic_probe;
pub mod refresh;
pub mod sealing;
pub mod session;
pub mod tables;
pub mod token;
#[cfg(target_family = "wasm")]
pub mod wasm;

pub use buffer::pulse_buffer;
pub use fault::{pulse_error, pulse_status};
