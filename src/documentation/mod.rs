//! Longer documents about the library. They are part of the crate, so that they are versioned, linked and tested with
//! it.
//!
//! - [`formats`]: the contract. Every format on the wire and on disk, and where this library is stricter than the
//!   deployed runtime.
//! - [`design`]: what the library is for, its shape, and the rules it keeps.
//! - [`architecture`]: where to find and change an error, a claim, a C function, a frame, a setting or a test vector.
//! - [`errors`]: every error with its number, what it means and what to do.
//! - [`glossary`]: what the words mean, from "activation" to "wire code".
//! - [`platforms`]: what is tested where, and what has not been run.

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("formats.md")]
pub mod formats {}

#[doc = include_str!("design.md")]
pub mod design {}

/// [billing state]: formats#billing-state
/// [channel encryption]: formats#channel-encryption
/// [compact tokens]: formats#compact-tokens
/// [encrypted files]: formats#encrypted-files
/// [frames]: formats#frames
/// [grant]: formats#grant
/// [hosted lease]: formats#hosted-lease
/// [keys]: formats#keys
/// [license]: formats#license
/// [pairing]: formats#pairing
/// [relay surface]: formats#relay-surface
///
#[doc = include_str!("architecture.md")]
pub mod architecture {}

/// [admission]: formats#admission
/// [billing state]: formats#billing-state
/// [channel encryption]: formats#channel-encryption
/// [compact tokens]: formats#compact-tokens
/// [encrypted files]: formats#encrypted-files
/// [formats]: formats
/// [frames]: formats#frames
/// [grant]: formats#grant
/// [host normalization]: formats#host-normalization
/// [hosted bootstrap]: formats#hosted-bootstrap
/// [hosted lease]: formats#hosted-lease
/// [instance ids]: formats#instance-ids
/// [keys]: formats#keys
/// [license]: formats#license
/// [pairing]: formats#pairing
/// [provider-chained lease]: formats#provider-chained-lease
/// [relay surface]: formats#relay-surface
/// [tiers and capabilities]: formats#tiers-and-capabilities
///
#[doc = include_str!("glossary.md")]
pub mod glossary {}

#[doc = include_str!("platforms.md")]
pub mod platforms {}
