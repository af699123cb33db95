//! Pairing codes: what the runtime offers, and what a phone takes (FORMATS 13).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod connection;
mod onboarding;
#[cfg(feature = "qr")]
mod qr;
mod scanned;
mod secrecy;
mod tamper;
mod vector;
