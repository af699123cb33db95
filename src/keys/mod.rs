//! Ed25519 keys: public and private, their ids and fingerprints, and the sets of keys that are trusted (FORMATS 1).
//!
//! A key that is configured is a [`PublicKey`], checked when it is imported. Which keys may sign which kind of token is
//! a [`TrustKeys`]: one [`TrustKeySet`] for leases, one for licenses and grants. Each set may hold several keys, so
//! that the next key can be rolled out before the current one is retired.

mod private;
mod public;
mod trust;

pub use private::SigningKey;
pub use public::{KeyId, PublicKey};
pub use trust::{TrustKeySet, TrustKeys};
