//! Ed25519 keys: public and private, their ids and fingerprints, and the sets of keys that are trusted
//! ([formats: keys](crate::_documentation::formats#keys)).
//!
//! A key that is configured is a [`PublicKey`], checked when it is imported. Which keys may sign which kind of token is
//! a [`TrustKeys`]: one [`TrustKeySet`] for leases, one for licenses and grants. Each set may hold several keys, so
//! that the next key can be rolled out before the current one is retired.
//!
//! A relay verifies many tokens under few keys. What can be computed once for a key is computed once: a [`PreparedKey`]
//! holds multiples of it, so that verifying is additions only. The trust key sets prepare their keys by themselves.

mod curve;
mod prepared;
mod private;
mod public;
mod trust;
mod trusted_key;

pub use prepared::{PreparedKey, TableSize};
pub use private::SigningKey;
pub use public::{KeyId, PublicKey};
pub(crate) use trust::SignedText;
pub use trust::{TrustKeySet, TrustKeys};
