//! The primitives that a WebAssembly host may compute in the module's place: AES-256-GCM, X25519, HKDF-SHA256, and the
//! parts of Ed25519.
//!
//! Everywhere but in WebAssembly, and where the host offers nothing, they come from the Rust crates. A host that has them
//! in machine code (Go's standard library) is faster by an order of magnitude, and by more where the module is
//! interpreted. It computes and decides nothing: each rule about what is accepted stays with the callers, and a vector
//! gets the same verdict on either way.

mod aead;
mod agreement;
mod derivation;
#[cfg_attr(not(all(target_family = "wasm", feature = "capi")), path = "no_host.rs")]
mod host;
#[cfg(test)]
mod wycheproof_vectors;

pub(crate) use aead::{Aead, NONCE_LEN, TAG_LEN};
pub(crate) use agreement::EphemeralSecret;
pub(crate) use derivation::hkdf_sha256;
pub(crate) use host::Host;
