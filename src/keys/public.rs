//! Public keys: import, ids, fingerprints.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use super::signature;
use crate::encoding;
use crate::error::{Error, Result};

/// An Ed25519 public key that passed the import rule ([formats: keys](crate::_documentation::formats#keys)): canonical,
/// not of small order, free of torsion.
///
/// ```
/// use pulse_trust::keys::PublicKey;
///
/// let text = "kirJ+GGrL1oDgMcXHqvdzikVGoYAdgyxXTcQtErwrl4=";
/// let key: PublicKey = text.parse()?;
/// assert_eq!(key.to_string(), text);
/// assert_eq!(PublicKey::try_from(*key.as_bytes())?, key);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
}

impl PublicKey {
    /// Reads base64 of 32 bytes: the standard alphabet with padding, else URL-safe without. White space around it is
    /// trimmed.
    ///
    /// ```
    /// let key = pulse_trust::keys::PublicKey::from_base64("kirJ+GGrL1oDgMcXHqvdzikVGoYAdgyxXTcQtErwrl4=")?;
    /// assert_eq!(key.key_id().as_str().len(), 16);
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::KeyEncoding`] for anything else, [`Error::KeyWeak`] as [`PublicKey::from_bytes`].
    pub fn from_base64(text: &str) -> Result<Self> {
        let text = text.trim();
        let bytes: [u8; 32] = encoding::public_base64_decode(text)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(Error::KeyEncoding { what: "public key", expected: "base64 of 32 bytes", received: text.len() })?;
        Self::from_bytes(&bytes)
    }

    /// Imports 32 bytes.
    ///
    /// # Errors
    /// [`Error::KeyWeak`] if the bytes are not a point of the curve, do not re-encode to themselves, or are a point
    /// that is not of the prime-order group. Every honestly made key passes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self> {
        let weak = |reason| Error::KeyWeak { reason };
        let point = CompressedEdwardsY(*bytes).decompress().ok_or(weak("not a point of the curve"))?;
        let key = VerifyingKey::from(point);
        if key.as_bytes() != bytes {
            return Err(weak("the point has another encoding"));
        }
        if point.is_small_order() {
            return Err(weak("the point is of small order"));
        }
        if !is_torsion_free(&point) {
            return Err(weak("the point is not of the prime-order group"));
        }
        Ok(Self { key })
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Standard base64 with padding: how settings and files write it.
    pub fn to_base64(&self) -> String {
        encoding::base64_encode(self.as_bytes())
    }

    /// The key id that a token header names (`kid`).
    pub fn key_id(&self) -> KeyId {
        KeyId::of(self)
    }

    /// `SHA256:` and the standard base64 of SHA-256 over the 32 bytes: how logs name a trust key.
    pub fn log_fingerprint(&self) -> String {
        format!("SHA256:{}", encoding::base64_encode(&self.sha256()))
    }

    /// SHA-256 over the 32 bytes as upper-case hex pairs joined by `:`: how people compare identities.
    pub fn fingerprint(&self) -> String {
        encoding::hex_pairs(&self.sha256())
    }

    /// Whether `signature` is this key's over `message`, by the accept set of
    /// [formats: compact tokens](crate::_documentation::formats#compact-tokens).
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        signature::verify(&self.key, message, signature)
    }

    /// The public half of a private key: a multiple of the base point, so of the prime-order group without a check.
    pub(super) fn of_private(key: VerifyingKey) -> Self {
        Self { key }
    }

    pub(super) fn verifying_key(&self) -> &VerifyingKey {
        &self.key
    }

    fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.as_bytes()).into()
    }
}

/// Whether the group's order times the point is neutral: one less times the point is then its opposite. Keys are
/// public, so this may take variable time, which is half of what `EdwardsPoint::is_torsion_free` takes.
#[allow(clippy::arithmetic_side_effects, reason = "operations of a finite group overflow nowhere")]
fn is_torsion_free(point: &EdwardsPoint) -> bool {
    let order_less_one = -Scalar::ONE;
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&order_less_one, point, &Scalar::ZERO) == -point
}

/// As [`PublicKey::from_base64`].
impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::from_base64(text)
    }
}

/// As [`PublicKey::from_bytes`].
impl TryFrom<[u8; 32]> for PublicKey {
    type Error = Error;

    fn try_from(bytes: [u8; 32]) -> Result<Self> {
        Self::from_bytes(&bytes)
    }
}

impl AsRef<[u8; 32]> for PublicKey {
    fn as_ref(&self) -> &[u8; 32] {
        self.as_bytes()
    }
}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// As [`PublicKey::to_base64`].
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_base64())
    }
}

/// The id of a trust key: the first 16 hex digits of SHA-256 over its 32 bytes.
///
/// ```
/// use pulse_trust::keys::SigningKey;
/// let key = SigningKey::from_seed(&[7; 32])?;
/// assert_eq!(key.public_key().key_id().to_string().len(), 16);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 16]);

impl KeyId {
    fn of(key: &PublicKey) -> Self {
        let mut digits = [b'0'; 16];
        for (digit, value) in digits.iter_mut().zip(encoding::hex_encode(&key.sha256()).bytes()) {
            *digit = value;
        }
        Self(digits)
    }

    /// Reads a key id.
    ///
    /// # Errors
    /// [`Error::KeyEncoding`] for anything but 16 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self> {
        let digits: Option<[u8; 16]> = text.as_bytes().try_into().ok();
        digits.filter(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))).map(Self).ok_or(
            Error::KeyEncoding { what: "key id", expected: "16 lower-case hex digits", received: text.chars().count() },
        )
    }

    /// The 16 hex digits.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl AsRef<str> for KeyId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};

    use super::*;

    #[test]
    fn the_check_for_torsion_agrees_with_the_curve_library() {
        let multiples = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(8_u64)];
        let random = (0..64_u8).map(|seed| Scalar::from_bytes_mod_order_wide(&sha2::Sha512::digest([seed]).into()));
        for scalar in multiples.into_iter().chain(random) {
            for torsion in EIGHT_TORSION {
                let point = ED25519_BASEPOINT_POINT * scalar + torsion;
                assert_eq!(is_torsion_free(&point), point.is_torsion_free(), "{point:?}");
            }
        }
    }
}
