//! The Ed25519 identity of an instance (FORMATS 1, 12).
