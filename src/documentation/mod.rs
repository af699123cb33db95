//! Longer documents about the library. They are part of the crate, so that they are versioned, linked and tested with it.
//!
//! - [`formats`]: the contract. Every format on the wire and on disk, and where this library is stricter than the deployed
//!   runtime.

#[doc = include_str!("formats.md")]
pub mod formats {}
