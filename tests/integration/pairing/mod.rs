//! Pairing codes: what the runtime offers, and what a phone takes (formats.md#pairing).

mod connection;
mod onboarding;
#[cfg(feature = "qr")]
mod qr;
mod scanned;
mod secrecy;
mod tamper;
mod vector;
