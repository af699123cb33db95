//! Private keys: import, generation, signing.

use core::fmt;

use ed25519_dalek::Signer;
use zeroize::Zeroizing;

use super::PublicKey;
use crate::encoding;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// An Ed25519 private key. It signs; it shows its bytes only through [`SigningKey::secret_base64`], and is wiped from
/// memory when it is dropped.
///
/// ```
/// use pulse_trust::keys::SigningKey;
///
/// let key = SigningKey::generate()?;
/// let signature = key.sign(b"message");
/// assert!(key.public_key().verify(b"message", &signature));
///
/// let kept = key.secret_base64();
/// assert_eq!(SigningKey::from_base64(kept.expose_secret())?.public_key(), key.public_key());
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// Makes a new key from the operating system's random generator.
    ///
    /// # Errors
    /// [`Error::RandomUnavailable`] if there is none.
    pub fn generate() -> Result<Self> {
        let seed = Zeroizing::new(encoding::random_bytes::<32>()?);
        Self::from_seed(&seed)
    }

    /// The key that belongs to a 32-byte seed (RFC 8032, section 5.1.5).
    ///
    /// # Errors
    /// [`Error::KeyWeak`] never in practice: every seed yields a key of the prime-order group.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = PublicKey::from_bytes(key.verifying_key().as_bytes())?;
        Ok(Self { key, public })
    }

    /// Reads base64, in any of its four variants, of 64 bytes (seed, then public key) or of 32 (seed). White space
    /// around it is trimmed.
    ///
    /// # Errors
    /// [`Error::KeyEncoding`] for anything else; [`Error::KeyMismatchedHalves`] if the public half belongs to another
    /// key.
    pub fn from_base64(text: &str) -> Result<Self> {
        let text = text.trim();
        let refused =
            Error::KeyEncoding { what: "private key", expected: "base64 of 32 or 64 bytes", received: text.len() };
        let bytes = encoding::secret_base64_decode_any(text).ok_or_else(|| refused.clone())?;
        let (seed, public_half) = bytes.split_first_chunk::<32>().ok_or_else(|| refused.clone())?;
        let key = Self::from_seed(seed)?;
        match public_half {
            [] => Ok(key),
            half if half.len() != 32 => Err(refused),
            half if half == key.public.as_bytes() => Ok(key),
            _ => Err(Error::KeyMismatchedHalves),
        }
    }

    /// The public key that verifies what this one signs.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` (RFC 8032, Ed25519).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// **Secret**: standard base64 of seed and public key, the form that settings and `relay.enc` hold.
    pub fn secret_base64(&self) -> Secret {
        let bytes = Zeroizing::new(self.key.to_keypair_bytes());
        encoding::base64_encode(bytes.as_slice()).into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}
