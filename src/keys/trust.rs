//! The keys that are trusted to sign, by kind of token.

use super::PublicKey;
use crate::error::{Error, Result};

/// The keys configured for one kind of token: usually one, two while a key is being rotated.
#[derive(Debug, Clone, Default)]
pub struct TrustKeySet {
    keys: Vec<PublicKey>,
}

impl TrustKeySet {
    /// A set of these keys; a key given twice counts once.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let mut set = Self::default();
        for key in keys {
            if !set.keys.contains(&key) {
                set.keys.push(key);
            }
        }
        set
    }

    /// Reads keys separated by commas, each as [`PublicKey::from_base64`] does: the form of the key settings
    /// (FORMATS 14). A text of nothing but white space is the empty set.
    ///
    /// # Errors
    /// As [`PublicKey::from_base64`], for the first key that is refused.
    pub fn from_setting(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(PublicKey::from_base64).collect::<Result<Vec<_>>>().map(Self::new)
    }

    /// Whether no key is configured.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, in the order they were given.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter()
    }

    /// Verifies `signature` over `message` under the key that `kid` names, or, without one, under any key of the set.
    ///
    /// # Errors
    /// [`Error::KeyUnknown`] where `kid` names no key of the set, [`Error::SignatureInvalid`] where no key verifies.
    pub(crate) fn verify(
        &self,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8; 64],
        kind: &'static str,
    ) -> Result<()> {
        let verified = match kid {
            Some(kid) => self
                .keys
                .iter()
                .find(|key| key.key_id().as_str() == kid)
                .ok_or_else(|| Error::KeyUnknown { kid: kid.to_owned() })?
                .verify(message, signature),
            None => self.keys.iter().any(|key| key.verify(message, signature)),
        };
        if verified { Ok(()) } else { Err(Error::SignatureInvalid { kind }) }
    }
}

/// Which keys may sign what. A key configured for one kind never makes a token of another kind pass.
#[derive(Debug, Clone, Default)]
pub struct TrustKeys {
    /// For hosted leases: the control plane's keys.
    pub lease: TrustKeySet,
    /// For licenses and grants, and for the provider license inside a lease: the license server's keys.
    pub license: TrustKeySet,
}
