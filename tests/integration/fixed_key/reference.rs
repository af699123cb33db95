//! A key under test beside the reference, and signatures made by hand for keys that no honest signer has.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, VerifyingKey};
use pulse_trust::keys::{PreparedKey, TableSize};
use sha2::{Digest, Sha512};

pub(crate) const SIZES: [TableSize; 5] =
    [TableSize::None, TableSize::Small, TableSize::Medium, TableSize::Large, TableSize::Huge];

/// One public key: the reference and what is compared with it.
pub(crate) struct Compared {
    pub(crate) reference: VerifyingKey,
    prepared: Vec<PreparedKey>,
}

impl Compared {
    /// `None` where the bytes are not a point, on which both must agree.
    pub(crate) fn new(key: &[u8; 32], sizes: &[TableSize]) -> Option<Self> {
        let prepared: Result<Vec<_>, _> =
            sizes.iter().map(|size| PreparedKey::danger_of_any_order(key, *size)).collect();
        let Ok(reference) = VerifyingKey::from_bytes(key) else {
            assert!(prepared.is_err(), "a key that does not decode was prepared: {key:02x?}");
            return None;
        };
        Some(Self { reference, prepared: prepared.unwrap() })
    }

    /// The verdict on one signature, which must be the same everywhere.
    pub(crate) fn verdict(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let expected = self.expected(message, signature);
        for prepared in &self.prepared {
            let received = prepared.verify(message, signature);
            assert_eq!(received, expected, "{prepared:?}, signature {signature:02x?}, message {message:02x?}");
        }
        expected
    }

    /// The verdicts on many signatures at once, each the same as alone. How many are accepted.
    pub(crate) fn bulk_verdicts(&self, signed: &[(&[u8], &[u8; 64])]) -> usize {
        let expected: Vec<bool> = signed.iter().map(|(message, signature)| self.expected(message, signature)).collect();
        for prepared in &self.prepared {
            assert_eq!(prepared.verify_bulk(signed), expected, "{prepared:?}");
        }
        expected.into_iter().filter(|accepted| *accepted).count()
    }

    fn expected(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.reference.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// A signer that may add a point of small order to its key and to R.
pub(crate) struct OddSigner {
    secret: Scalar,
    pub(crate) key: [u8; 32],
}

impl OddSigner {
    pub(crate) fn new(secret: Scalar, torsion: EdwardsPoint) -> Self {
        let key = (ED25519_BASEPOINT_POINT * secret + torsion).compress().to_bytes();
        Self { secret, key }
    }

    /// R = rB + torsion, S = r + ka: R is the verifier's point where the torsion of R makes up for that of [k]A.
    pub(crate) fn sign(&self, message: &[u8], nonce: Scalar, torsion: EdwardsPoint) -> [u8; 64] {
        let r = (ED25519_BASEPOINT_POINT * nonce + torsion).compress().to_bytes();
        let k = challenge(&r, &self.key, message);
        joined(&r, (nonce + k * self.secret).as_bytes())
    }
}

pub(crate) fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(
        &Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize().into(),
    )
}

/// A signature of these two halves.
pub(crate) fn joined(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(r);
    signature[32..].copy_from_slice(s);
    signature
}

/// Random-looking numbers that are the same in every run: SplitMix64.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    pub(crate) fn scalar(&mut self) -> Scalar {
        Scalar::from_bytes_mod_order(self.bytes())
    }
}
