//! The Ed25519 identity of an instance ([formats: keys](crate::_documentation::formats#keys),
//! [formats: channel-encryption](crate::_documentation::formats#channel-encryption)).

use core::fmt;

use crate::error::{Error, Result};
use crate::keys::{PublicKey, SigningKey};
use crate::secret::Secret;

/// The key pair by which a phone recognizes an instance. It signs key exchanges inside the library; its private half
/// leaves only through [`Identity::secret_private_key_base64`], to be sealed on disk.
///
/// ```
/// use pulse_trust::relay::Identity;
///
/// let identity = Identity::generate()?;
/// // What people compare: 32 hex pairs.
/// assert_eq!(identity.fingerprint().split(':').count(), 32);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub struct Identity {
    key: SigningKey,
}

impl Identity {
    /// Makes a new identity.
    ///
    /// # Errors
    /// [`Error::RandomUnavailable`].
    pub fn generate() -> Result<Self> {
        SigningKey::generate().map(|key| Self { key })
    }

    /// The identity of a private key in base64, as `relay.enc` holds it.
    ///
    /// # Errors
    /// As [`SigningKey::from_base64`].
    pub fn from_private_base64(private_key: &str) -> Result<Self> {
        SigningKey::from_base64(private_key).map(|key| Self { key })
    }

    /// The identity that a relay config holds: private key, public key and fingerprint, which must agree.
    ///
    /// # Errors
    /// As [`SigningKey::from_base64`] and [`PublicKey::from_base64`]; [`Error::IdentityInvalid`] if the keys do not
    /// belong together, [`Error::FingerprintMismatch`].
    pub fn from_parts(private_key: &str, public_key: &str, fingerprint: &str) -> Result<Self> {
        let identity = Self::from_private_base64(private_key)?;
        if PublicKey::from_base64(public_key)? != *identity.public_key() {
            return Err(Error::IdentityInvalid { reason: "the public key does not belong to the private key" });
        }
        let (expected, received) = (fingerprint.trim().to_owned(), identity.fingerprint());
        if expected != received {
            return Err(Error::FingerprintMismatch { expected, received });
        }
        Ok(identity)
    }

    /// The public key: what a pairing code carries.
    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// The fingerprint that people compare: 32 upper-case hex pairs joined by `:`.
    pub fn fingerprint(&self) -> String {
        self.public_key().fingerprint()
    }

    /// Signs the 32 bytes of an ephemeral X25519 key, as the key exchange of a channel needs it.
    pub fn sign_key_exchange(&self, ephemeral_public_key: &[u8; 32]) -> [u8; 64] {
        self.key.sign(ephemeral_public_key)
    }

    /// Signs the text of a registration's proof, which [`super::IdentityProof`] makes.
    pub(super) fn sign_registration(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text)
    }

    /// **Secret**: standard base64 of seed and public key.
    pub fn secret_private_key_base64(&self) -> Secret {
        self.key.secret_base64()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("public_key", self.public_key()).finish_non_exhaustive()
    }
}
