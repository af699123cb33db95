//! Sealing: 12 random nonce bytes, then AES-256-GCM ciphertext and tag; no AAD, no header (FORMATS 7).

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::encoding;
use crate::error::{Error, Result};

const NONCE_LEN: usize = 12;
/// The shortest sealed text: nonce and tag.
pub(super) const MIN_SEALED_LEN: usize = NONCE_LEN + 16;

/// A 256-bit key that seals files and texts.
#[derive(ZeroizeOnDrop)]
pub(super) struct SealingKey([u8; 32]);

impl SealingKey {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Self(*secret)
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
    pub(super) fn open_text(&self, sealed: &[u8], what: &str) -> Result<Zeroizing<String>> {
        let bytes = self.open(sealed, what)?;
        str::from_utf8(&bytes)
            .map(|text| Zeroizing::new(text.to_owned()))
            .map_err(|_| Error::UnsealFailed { what: what.to_owned() })
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&self.0).into())
    }
}
