//! Sealing: 12 random nonce bytes, then AES-256-GCM ciphertext and tag; no AAD, no header ([formats: encrypted
//! files](crate::_documentation::formats#encrypted-files)).

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

use crate::encoding;
use crate::error::{Error, Result};
use crate::secret::Secret;

const NONCE_LEN: usize = 12;
/// The shortest sealed text: nonce and tag.
pub(super) const MIN_SEALED_LEN: usize = NONCE_LEN + 16;

/// A 256-bit key that seals files and texts. It stays in one place on the heap, as each move would leave a copy behind.
pub(super) struct SealingKey(Box<Zeroizing<[u8; 32]>>);

impl SealingKey {
    /// A new key from the operating system's random generator.
    pub(super) fn generate() -> Result<Self> {
        let mut key = Self::zero();
        encoding::fill_random(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// The key of these bytes; `None` if they are not 32.
    pub(super) fn from_slice(secret: &[u8]) -> Option<Self> {
        let mut key = Self::zero();
        if secret.len() != key.0.len() {
            return None;
        }
        key.0.copy_from_slice(secret);
        Some(key)
    }

    /// The key that `derive` writes; `None` if it cannot.
    pub(super) fn derived<E>(derive: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Option<Self> {
        let mut key = Self::zero();
        derive(key.0.as_mut_slice()).ok()?;
        Some(key)
    }

    fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }

    /// **Secret**: the raw bytes, which the integrity key is derived from.
    pub(super) fn secret_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals bytes.
    pub(super) fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        let nonce = encoding::random_bytes::<NONCE_LEN>()?;
        let ciphertext = self
            .cipher()
            .encrypt(&nonce.into(), plaintext)
            .map_err(|_| Error::MessageMalformed { reason: "longer than AES-GCM can seal" })?;
        Ok([nonce.as_slice(), &ciphertext].concat())
    }

    /// Opens sealed bytes; `what` names them in the error.
    pub(super) fn open(&self, sealed: &[u8], what: &str) -> Result<Zeroizing<Vec<u8>>> {
        sealed
            .split_first_chunk::<NONCE_LEN>()
            .and_then(|(nonce, ciphertext)| self.cipher().decrypt(&(*nonce).into(), ciphertext).ok())
            .map(Zeroizing::new)
            .ok_or_else(|| Error::UnsealFailed { what: what.to_owned() })
    }

    /// Opens sealed bytes that hold a text.
    pub(super) fn open_text(&self, sealed: &[u8], what: &str) -> Result<Secret> {
        let bytes = self.open(sealed, what)?;
        str::from_utf8(&bytes).map(Secret::from).map_err(|_| Error::UnsealFailed { what: what.to_owned() })
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&**self.0).into())
    }
}
