//! Sealing: 12 random nonce bytes, then AES-256-GCM ciphertext and tag; no AAD, no header ([formats: encrypted
//! files](crate::_documentation::formats#encrypted-files)).

use zeroize::Zeroizing;

use crate::encoding;
use crate::error::{Error, Result};
use crate::primitives::{Aead, NONCE_LEN, TAG_LEN};
use crate::secret::Secret;

/// The shortest sealed text: nonce and tag.
pub(super) const MIN_SEALED_LEN: usize = NONCE_LEN + TAG_LEN;

/// A 256-bit key that seals files and texts. It stays in one place on the heap, as each move would leave a copy behind.
pub(super) struct SealingKey(Box<Zeroizing<[u8; 32]>>);

impl SealingKey {
    /// A new key from the operating system's random generator.
    pub(super) fn generate() -> Result<Self> {
        encoding::random_secret().map(Self)
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
    pub(super) fn derived(derive: impl FnOnce(&mut [u8]) -> Option<()>) -> Option<Self> {
        let mut key = Self::zero();
        derive(key.0.as_mut_slice())?;
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
        let mut sealed = [nonce.as_slice(), plaintext, &[0; TAG_LEN]].concat();
        let body = sealed.get_mut(NONCE_LEN..).unwrap_or_default();
        self.cipher().seal(&nonce, body).ok_or(Error::MessageMalformed { reason: "longer than AES-GCM can seal" })?;
        Ok(sealed)
    }

    /// Opens sealed bytes; `what` names them in the error.
    pub(super) fn open(&self, sealed: &[u8], what: &str) -> Result<Zeroizing<Vec<u8>>> {
        let refused = || Error::UnsealFailed { what: what.to_owned() };
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(refused)?;
        let length = body.len().checked_sub(TAG_LEN).ok_or_else(refused)?;
        let mut opened = Zeroizing::new(body.to_vec());
        self.cipher().open(nonce, &mut opened).ok_or_else(refused)?;
        opened.truncate(length);
        Ok(opened)
    }

    /// Opens sealed bytes that hold a text.
    pub(super) fn open_text(&self, sealed: &[u8], what: &str) -> Result<Secret> {
        let bytes = self.open(sealed, what)?;
        str::from_utf8(&bytes).map(Secret::from).map_err(|_| Error::UnsealFailed { what: what.to_owned() })
    }

    fn cipher(&self) -> Aead {
        Aead::new(&self.0)
    }
}
