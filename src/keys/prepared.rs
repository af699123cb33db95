//! A public key prepared for many verifications: the same verdicts, several times faster.

use core::fmt;
use std::sync::{Arc, OnceLock};

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha512};

use super::PublicKey;
use super::curve::{Point, WindowTable, encode_all, sum_of_products};
use super::signature::{self, is_small_order};
#[cfg(feature = "hazmat")]
use crate::error::Error;
use crate::error::Result;

/// How many signatures of a bulk share one inversion; each of them then bears a hundredth of its cost.
const GROUP: usize = 64;

/// The trade-off between memory and speed: the width of the windows for which a prepared key holds multiples.
///
/// One table of this size belongs to the key, and one, for the base point, is shared by all keys of the process. See
/// `benches/README.md` for what each costs and yields on a given machine.
///
/// See the example of [`with_tables`](super::TrustKeySet::with_tables).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TableSize {
    /// No table, the general verifier: for a tool or a phone that verifies a few signatures.
    None,
    /// Windows of 5 bits, 101 KiB a table.
    Small,
    /// Windows of 6 bits, 172 KiB a table: where memory is scarce. The default on 32-bit targets, WebAssembly among
    /// them.
    Medium,
    /// Windows of 8 bits, 498 KiB a table: two of them fit in a second-level cache of 1 MiB. The default.
    Large,
    /// Windows of 12 bits, 5.5 MiB a table: a third fewer additions, for a relay whose third-level cache holds two.
    Huge,
}

impl TableSize {
    /// Memory of one table in bytes.
    pub fn table_bytes(self) -> usize {
        self.width().map_or(0, WindowTable::bytes_for)
    }

    /// Bits of a window; `None` without a table.
    const fn width(self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Small => Some(5),
            Self::Medium => Some(6),
            Self::Large => Some(8),
            Self::Huge => Some(12),
        }
    }

    /// The base point's table of this size, built on first use and kept forever.
    fn base_table(self) -> Result<Option<&'static WindowTable>> {
        static SMALL: OnceLock<WindowTable> = OnceLock::new();
        static MEDIUM: OnceLock<WindowTable> = OnceLock::new();
        static LARGE: OnceLock<WindowTable> = OnceLock::new();
        static HUGE: OnceLock<WindowTable> = OnceLock::new();
        let (cell, width) = match (self, self.width()) {
            (_, None) => return Ok(None),
            (Self::Small, Some(width)) => (&SMALL, width),
            (Self::Medium, Some(width)) => (&MEDIUM, width),
            (Self::Huge, Some(width)) => (&HUGE, width),
            (_, Some(width)) => (&LARGE, width),
        };
        if let Some(table) = cell.get() {
            return Ok(Some(table));
        }
        let table = WindowTable::new(&ED25519_BASEPOINT_POINT, width)?;
        Ok(Some(cell.get_or_init(|| table)))
    }
}

impl Default for TableSize {
    fn default() -> Self {
        if cfg!(target_pointer_width = "64") { Self::Large } else { Self::Medium }
    }
}

/// A public key with precomputed multiples. Its verdicts are those of [`PublicKey::verify`], on every input.
///
/// Clones share the tables. A [`super::TrustKeySet`] prepares its keys automatically.
///
/// ```
/// use pulse_trust::keys::{PreparedKey, SigningKey, TableSize};
/// let signer = SigningKey::generate()?;
/// let key = PreparedKey::new(signer.public_key(), TableSize::default())?;
/// let signature = signer.sign(b"message");
/// assert!(key.verify(b"message", &signature));
/// assert_eq!(key.verify_bulk(&[(b"message", &signature), (b"another", &signature)]), [true, false]);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Clone)]
pub struct PreparedKey {
    key: VerifyingKey,
    /// Of small order, so it has no signatures and no tables.
    is_weak: bool,
    size: TableSize,
    tables: Option<Tables>,
}

impl PreparedKey {
    /// Computes the tables and checks them, which pays off after a few dozen verifications with the smaller sizes, and
    /// after some hundreds with [`TableSize::Huge`].
    ///
    /// # Errors
    /// [`Error::KeyTableMemory`] if there is no memory for a table. [`Error::KeyTableCorrupt`] if a table is not what it
    /// should be, which means that the memory or the processor is faulty.
    pub fn new(key: &PublicKey, size: TableSize) -> Result<Self> {
        Self::of(*key.verifying_key(), size)
    }

    /// Accepts any key that decodes, of any order, which [`PublicKey`] refuses: for comparing verdicts in tests. A
    /// program that trusts such a key accepts signatures that nobody made with it. Needs the feature `hazmat`.
    ///
    /// # Errors
    /// [`Error::KeyWeak`] if the bytes are not a point of the curve; else as [`PreparedKey::new`].
    #[cfg(feature = "hazmat")]
    pub fn danger_of_any_order(bytes: &[u8; 32], size: TableSize) -> Result<Self> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| Error::KeyWeak { reason: "not a point of the curve" })?;
        Self::of(key, size)
    }

    #[allow(clippy::arithmetic_side_effects, reason = "operations of a finite group overflow nowhere")]
    fn of(key: VerifyingKey, size: TableSize) -> Result<Self> {
        let is_weak = key.is_weak();
        let tables = match (size.base_table()?, size.width()) {
            _ if is_weak => None,
            (Some(base), Some(width)) => {
                let of_key = Arc::new(WindowTable::new(&-key.to_edwards(), width)?);
                Some(Tables { base, of_key })
            }
            _ => None,
        };
        Ok(Self { key, is_weak, size, tables })
    }

    /// Whether `signature` is this key's over `message`, by the accept set of
    /// [formats: compact tokens](crate::_documentation::formats#compact-tokens).
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let Some(tables) = &self.tables else {
            return !self.is_weak && signature::verify(&self.key, message, signature);
        };
        let Some(equation) = Equation::new(&self.key, message, signature) else {
            return false;
        };
        tables.computed_r(&equation).encode().is_some_and(|computed| equation.holds(&computed))
    }

    /// The verdicts on many signatures, message and signature each: each is what [`PreparedKey::verify`] says about it
    /// alone. They share an inversion; no random combination is made, so a wrong signature changes no other verdict.
    pub fn verify_bulk(&self, signed: &[(&[u8], &[u8; 64])]) -> Vec<bool> {
        match &self.tables {
            Some(tables) if signed.len() > 1 => {
                signed.chunks(GROUP).flat_map(|group| tables.verify_group(&self.key, group)).collect()
            }
            _ => signed.iter().map(|(message, signature)| self.verify(message, signature)).collect(),
        }
    }

    /// The size of its tables.
    pub fn table_size(&self) -> TableSize {
        self.size
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey").field("key", &self.key).field("size", &self.size).finish_non_exhaustive()
    }
}

/// Multiples of the base point B, and of -A, where A is the key.
#[derive(Clone)]
struct Tables {
    base: &'static WindowTable,
    of_key: Arc<WindowTable>,
}

impl Tables {
    fn verify_group(&self, key: &VerifyingKey, signed: &[(&[u8], &[u8; 64])]) -> Vec<bool> {
        let equations: Vec<Option<Equation>> =
            signed.iter().map(|(message, signature)| Equation::new(key, message, signature)).collect();
        let points: Vec<Point> = equations.iter().flatten().map(|equation| self.computed_r(equation)).collect();
        let mut encodings = encode_all(&points).unwrap_or_default().into_iter();
        let mut verdict = |equation: &Equation| encodings.next().is_some_and(|computed| equation.holds(&computed));
        equations.iter().map(|equation| equation.as_ref().is_some_and(&mut verdict)).collect()
    }

    /// [S]B - [k]A.
    fn computed_r(&self, equation: &Equation) -> Point {
        sum_of_products([(self.base, &equation.s), (&self.of_key, &equation.k)])
    }
}

/// What a signature claims: that R = [S]B - [k]A (RFC 8032, section 5.1.7, without the cofactor).
struct Equation {
    r: [u8; 32],
    s: Scalar,
    k: Scalar,
}

impl Equation {
    /// Reads a signature; `None` if S is not below the group's order.
    fn new(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> Option<Self> {
        let (r, s) = signature.split_first_chunk::<32>()?;
        let s = Option::from(Scalar::from_canonical_bytes(s.try_into().ok()?))?;
        let hash = Sha512::new().chain_update(r).chain_update(key.as_bytes()).chain_update(message).finalize();
        Some(Self { r: *r, s, k: Scalar::from_bytes_mod_order_wide(&hash.into()) })
    }

    /// Whether R is, byte for byte, the computed point, and that not of small order. An R that is not a point, or is
    /// not written canonically, equals no computed point.
    fn holds(&self, computed: &[u8; 32]) -> bool {
        self.r == *computed && !is_small_order(computed)
    }
}
