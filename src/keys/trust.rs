//! The keys that are trusted to sign, by kind of token.

use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

use super::trusted_key::TrustedKey;
use super::{PublicKey, TableSize};
use crate::error::{Error, Result};
use crate::token_kind::TokenKind;

/// The keys configured for one kind of token: usually one, two while a key is being rotated.
///
/// A key that has verified a few dozen signatures is prepared for more (see [`super::PreparedKey`]); all clones of the
/// set share the result. Only the time depends on it.
///
/// ```
/// use pulse_trust::keys::{SigningKey, TrustKeySet};
///
/// let (current, next) = (SigningKey::generate()?, SigningKey::generate()?);
/// let setting = format!("{}, {}", current.public_key(), next.public_key());
/// let keys: TrustKeySet = setting.parse()?;
/// assert_eq!(keys.keys().count(), 2);
/// assert_eq!(keys.to_string(), setting.replace(' ', ""));
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustKeySet {
    keys: Vec<Arc<TrustedKey>>,
}

/// A text and its signature, with the id of the key that should have made it, if one is named.
pub(crate) struct SignedText<'a> {
    pub(crate) kid: Option<&'a str>,
    pub(crate) text: &'a [u8],
    pub(crate) signature: &'a [u8; 64],
}

impl TrustKeySet {
    /// A set of these keys; a key given twice counts once.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let mut set = Self::default();
        for key in keys {
            if !set.keys().any(|known| *known == key) {
                set.keys.push(Arc::new(TrustedKey::new(key)));
            }
        }
        set
    }

    /// The same keys, each prepared now with tables of this size: to trade memory for speed, and to pay the cost at
    /// startup instead of at some later token. With [`TableSize::None`] no table is ever built.
    ///
    /// ```
    /// use pulse_trust::keys::{SigningKey, TableSize, TrustKeySet};
    /// let key = SigningKey::generate()?.public_key().clone();
    /// let keys = TrustKeySet::new([key]).with_tables(TableSize::Medium)?;
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::KeyTableMemory`] if there is no memory for a table, [`Error::KeyTableCorrupt`] if one failed its
    /// self-check.
    pub fn with_tables(&self, size: TableSize) -> Result<Self> {
        let prepared = |key| TrustedKey::with_tables(key, size).map(Arc::new);
        Ok(Self { keys: self.keys().map(prepared).collect::<Result<_>>()? })
    }

    /// Reads keys separated by commas, each as [`PublicKey::from_base64`] does: the form of the key settings ([formats:
    /// relay surface](crate::_documentation::formats#relay-surface)). A text of nothing but white space is the empty
    /// set.
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
        self.keys.iter().map(|trusted| trusted.key())
    }

    /// Verifies a signature under the key that `kid` names, or, without one, under any key of the set.
    ///
    /// # Errors
    /// [`Error::KeyUnknown`] if `kid` names no key of the set, [`Error::SignatureInvalid`] if no key verifies,
    /// [`Error::KeyTableCorrupt`] if tables were due and failed their self-check.
    pub(crate) fn verify(&self, signed: &SignedText<'_>, kind: TokenKind) -> Result<()> {
        for key in self.named(signed.kid)? {
            if key.verify(signed.text, signed.signature)? {
                return Ok(());
            }
        }
        Err(Error::SignatureInvalid { kind })
    }

    /// Verifies many signatures: each result is that of [`TrustKeySet::verify`].
    pub(crate) fn verify_bulk(&self, signed: &[SignedText<'_>], kind: TokenKind) -> Vec<Result<()>> {
        let mut results: Vec<Result<()>> =
            signed.iter().map(|one| self.named(one.kid).and(Err(Error::SignatureInvalid { kind }))).collect();
        for key in &self.keys {
            let mut open: Vec<(&SignedText<'_>, &mut Result<()>)> = signed
                .iter()
                .zip(&mut results)
                .filter(|(one, result)| {
                    matches!(result, Err(Error::SignatureInvalid { .. }))
                        && one.kid.is_none_or(|kid| kid == key.id().as_str())
                })
                .collect();
            let batch: Vec<(&[u8], &[u8; 64])> = open.iter().map(|(one, _)| (one.text, one.signature)).collect();
            match key.verify_bulk(&batch) {
                Ok(verdicts) => {
                    let verified = open.iter_mut().zip(verdicts).filter(|(_, verdict)| *verdict);
                    verified.for_each(|((_, result), _)| **result = Ok(()));
                }
                Err(error) => open.iter_mut().for_each(|(_, result)| **result = Err(error.clone())),
            }
        }
        results
    }

    /// The keys to try: the one that `kid` names, else all.
    fn named(&self, kid: Option<&str>) -> Result<&[Arc<TrustedKey>]> {
        let Some(kid) = kid else {
            return Ok(&self.keys);
        };
        let named = self.keys.iter().find(|key| key.id().as_str() == kid);
        named.map(std::slice::from_ref).ok_or_else(|| Error::KeyUnknown { kid: kid.to_owned() })
    }
}

/// As [`TrustKeySet::from_setting`].
impl FromStr for TrustKeySet {
    type Err = Error;

    fn from_str(setting: &str) -> Result<Self> {
        Self::from_setting(setting)
    }
}

/// As [`TrustKeySet::new`].
impl FromIterator<PublicKey> for TrustKeySet {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        Self::new(keys)
    }
}

/// The keys in base64, separated by commas: what [`TrustKeySet::from_setting`] reads.
impl fmt::Display for TrustKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.keys().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{key}")?;
        }
        Ok(())
    }
}

/// Which keys may sign what. A key configured for one kind never makes a token of another kind pass.
///
/// ```
/// use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
///
/// let control_plane = SigningKey::generate()?;
/// let keys = TrustKeys::for_leases(TrustKeySet::new([control_plane.public_key().clone()]));
/// assert!(keys.license.is_empty(), "no license and no grant verifies under these");
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TrustKeys {
    /// For hosted leases: the control plane's keys.
    pub lease: TrustKeySet,
    /// For licenses and grants, and for the provider license inside a lease: the license server's keys.
    pub license: TrustKeySet,
}

impl TrustKeys {
    /// Keys for leases, and keys for licenses and grants.
    pub fn new(lease: TrustKeySet, license: TrustKeySet) -> Self {
        Self { lease, license }
    }

    /// Keys for leases alone.
    pub fn for_leases(lease: TrustKeySet) -> Self {
        Self { lease, ..Self::default() }
    }

    /// Keys for licenses and grants alone.
    pub fn for_licenses(license: TrustKeySet) -> Self {
        Self { license, ..Self::default() }
    }
}
