//! Ed25519 keys: public and private, their ids and fingerprints, and the sets of keys that are trusted
//! ([formats: keys](crate::_documentation::formats#keys)).
//!
//! A configured key is a [`PublicKey`], which is checked when it is imported. [`TrustKeys`] says which keys may sign
//! which kind of token: one [`TrustKeySet`] for leases, one for licenses and grants. Each set may hold several keys, so
//! that the next key can be rolled out before the current one is retired.
//!
//! A relay verifies many tokens under few keys. A [`PreparedKey`] holds precomputed multiples of a key, so that
//! verifying only takes additions. Trust key sets prepare their keys automatically.

mod curve;
mod prepared;
mod private;
mod public;
mod signature;
mod trust;
mod trusted_key;

pub use prepared::{PreparedKey, TableSize};
pub use private::SigningKey;
pub use public::{KeyId, PublicKey};
pub(crate) use trust::SignedText;
pub use trust::{TrustKeySet, TrustKeys};
