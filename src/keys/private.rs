//! Private keys: import, generation, signing.

use core::fmt;

use ed25519_dalek::{Signer, VerifyingKey};
use zeroize::Zeroizing;

use super::PublicKey;
use crate::encoding;
use crate::error::{Error, Result};
use crate::primitives::Host;
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
    computed: Computed,
    public: PublicKey,
}

enum Computed {
    Own(Box<ed25519_dalek::SigningKey>),
    /// Seed and public key, with which the host signs.
    ByHost(Host, Box<Zeroizing<[u8; 64]>>),
}

impl SigningKey {
    /// Makes a new key from the operating system's random generator.
    ///
    /// # Errors
    /// [`Error::RandomUnavailable`] if there is none.
    pub fn generate() -> Result<Self> {
        let seed = encoding::random_secret()?;
        Self::from_seed(&seed)
    }

    /// The key that belongs to a 32-byte seed (RFC 8032, section 5.1.5).
    ///
    /// # Errors
    /// [`Error::KeyWeak`] never in practice: every seed yields a key of the prime-order group.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self> {
        let Some(host) = Host::offered() else {
            let key = ed25519_dalek::SigningKey::from_bytes(seed);
            let public = PublicKey::of_private(key.verifying_key());
            return Ok(Self { computed: Computed::Own(Box::new(key)), public });
        };
        let mut pair = Box::new(Zeroizing::new([0; 64]));
        for (byte, value) in pair.iter_mut().zip(seed) {
            *byte = *value;
        }
        host.ed25519_key_pair(&mut pair);
        let weak = |_| Error::KeyWeak { reason: "not a point of the curve" };
        let public = pair.last_chunk::<32>().map(VerifyingKey::from_bytes).transpose().map_err(weak)?;
        let public = public.map(PublicKey::of_private).ok_or(Error::KeyMismatchedHalves)?;
        Ok(Self { computed: Computed::ByHost(host, pair), public })
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
        match &self.computed {
            Computed::Own(key) => key.sign(message).to_bytes(),
            Computed::ByHost(host, pair) => host.ed25519_sign(pair, message),
        }
    }

    /// **Secret**: standard base64 of seed and public key, the form that settings and `relay.enc` hold.
    pub fn secret_base64(&self) -> Secret {
        match &self.computed {
            Computed::Own(key) => encoding::base64_encode(Zeroizing::new(key.to_keypair_bytes()).as_slice()),
            Computed::ByHost(_, pair) => encoding::base64_encode(pair.as_slice()),
        }
        .into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}
