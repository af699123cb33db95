//! Integers modulo p = 2^255 - 19.
//!
//! Every operation on limbs is a function of `fiat-crypto`. Its proofs hold for inputs within bounds, and its two types
//! keep track of them: a [`Tight`] element comes out of a multiplication, a [`Loose`] one is a sum or a difference of
//! tight ones and can only be multiplied or carried.

use core::hint::black_box;

#[cfg(target_pointer_width = "32")]
use fiat_crypto::curve25519_32 as fiat;
#[cfg(not(target_pointer_width = "32"))]
use fiat_crypto::curve25519_64 as fiat;
use ruint::aliases::U256;

use fiat::{fiat_25519_loose_field_element as LooseLimbs, fiat_25519_tight_field_element as TightLimbs};

#[cfg(target_pointer_width = "32")]
const ZERO_LIMBS: [u32; 10] = [0; 10];
#[cfg(not(target_pointer_width = "32"))]
const ZERO_LIMBS: [u64; 5] = [0; 5];

/// p.
const P: U256 = U256::from_limbs([0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, u64::MAX >> 1]);

/// An element whose limbs are carried.
#[derive(Clone, Copy)]
pub(super) struct Tight(TightLimbs);

/// An element whose limbs may exceed those of a [`Tight`] one three times.
#[derive(Clone, Copy)]
pub(super) struct Loose(LooseLimbs);

impl Tight {
    pub(super) const ZERO: Self = Self::from_bytes(&[0; 32]);
    pub(super) const ONE: Self = {
        let mut bytes = [0; 32];
        bytes[0] = 1;
        Self::from_bytes(&bytes)
    };

    /// Reads 255 bits, lowest byte first, and ignores the highest bit. A number of p or more is reduced.
    pub(super) const fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut bits = *bytes;
        bits[31] &= 0x7f;
        let mut limbs = TightLimbs(ZERO_LIMBS);
        fiat::fiat_25519_from_bytes(&mut limbs, &bits);
        Self(limbs)
    }

    /// The canonical encoding: the number below p, lowest byte first.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        fiat::fiat_25519_to_bytes(&mut bytes, &self.0);
        bytes
    }

    /// The sum.
    #[inline(always)]
    pub(super) fn plus(&self, other: &Self) -> Loose {
        let mut limbs = LooseLimbs(ZERO_LIMBS);
        fiat::fiat_25519_add(&mut limbs, &self.0, &other.0);
        Loose(limbs)
    }

    /// The difference.
    #[inline(always)]
    pub(super) fn minus(&self, other: &Self) -> Loose {
        let mut limbs = LooseLimbs(ZERO_LIMBS);
        fiat::fiat_25519_sub(&mut limbs, &self.0, &other.0);
        Loose(limbs)
    }

    /// The same element as a factor: every tight element is within the loose bounds.
    #[inline(always)]
    pub(super) fn loose(&self) -> Loose {
        let mut limbs = LooseLimbs(ZERO_LIMBS);
        fiat::fiat_25519_relax(&mut limbs, &self.0);
        Loose(limbs)
    }

    /// The product.
    pub(super) fn times(&self, other: &Self) -> Self {
        self.times_inlined(other)
    }

    /// The product without a call: its code is large, so this is only for what is done for every entry of a table.
    #[inline(always)]
    pub(super) fn times_inlined(&self, other: &Self) -> Self {
        self.loose().times(&other.loose())
    }

    /// The square.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn squared(&self) -> Self {
        let mut limbs = TightLimbs(ZERO_LIMBS);
        fiat::fiat_25519_carry_square(&mut limbs, &self.loose().0);
        Self(limbs)
    }

    /// The power with exponent (p - 5) / 8 = 2^252 - 3.
    fn power_p58(&self) -> Self {
        // 2^252 - 3 is 250 bits of 1, then 01.
        let ones = (1..250).fold(*self, |power, _| power.squared().times(self));
        ones.squared().squared().times(self)
    }

    /// The inverse; `None` for zero.
    ///
    /// The extended Euclidean algorithm of `ruint` takes a fifth of the time of an exponentiation by p - 2. That code
    /// was not proved, so a multiplication that was checks its result.
    pub(super) fn inverted(&self) -> Option<Self> {
        let inverse = U256::from_le_bytes(self.to_bytes()).inv_mod(P)?;
        let inverse = Self::from_bytes(&inverse.to_le_bytes());
        (self.times(&inverse) == Self::ONE).then_some(inverse)
    }

    /// The inverses of all (Montgomery's trick, one inversion for three multiplications each); `None` if one is zero.
    pub(super) fn inverted_all(elements: &[Self]) -> Option<Vec<Self>> {
        let mut product = Self::ONE;
        // For each element the product of those before it.
        let mut inverses: Vec<Self> = Vec::with_capacity(elements.len());
        for element in elements {
            inverses.push(product);
            product = product.times_inlined(element);
        }
        let mut inverse = product.inverted()?;
        for (element, before) in elements.iter().zip(&mut inverses).rev() {
            *before = before.times_inlined(&inverse);
            inverse = inverse.times_inlined(element);
        }
        Some(inverses)
    }

    /// A square root of `self / divisor`, the one that is even below p; `None` if there is none (RFC 8032, section
    /// 5.1.3).
    pub(super) fn root_of_quotient(&self, divisor: &Self) -> Option<Self> {
        // sqrt(-1).
        const ROOT: Tight = Tight::from_bytes(&[
            0xb0, 0xa0, 0x0e, 0x4a, 0x27, 0x1b, 0xee, 0xc4, 0x78, 0xe4, 0x2f, 0xad, 0x06, 0x18, 0x43, 0x2f, 0xa7, 0xd7,
            0xfb, 0x3d, 0x99, 0x00, 0x4d, 0x2b, 0x0b, 0xdf, 0xc1, 0x4f, 0x80, 0x24, 0x83, 0x2b,
        ]);
        let cube = divisor.squared().times(divisor);
        let seventh = cube.squared().times(divisor);
        let candidate = self.times(&cube).times(&self.times(&seventh).power_p58());
        let root =
            [candidate, candidate.times(&ROOT)].into_iter().find(|root| root.squared().times(divisor) == *self)?;
        Some(if root.is_odd() { Self::ZERO.minus(&root).carried() } else { root })
    }

    /// Whether the number below p is odd: the sign of an x coordinate.
    pub(super) fn is_odd(&self) -> bool {
        let [lowest, ..] = self.to_bytes();
        lowest & 1 == 1
    }
}

impl PartialEq for Tight {
    fn eq(&self, other: &Self) -> bool {
        self.minus(other).carried().to_bytes() == [0; 32]
    }
}

impl Loose {
    /// The product. In line it is faster, but on 32-bit targets each copy has 100 multiplications of limbs: WebAssembly
    /// has only one.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(not(target_pointer_width = "32"), inline(always))]
    pub(super) fn times(&self, other: &Self) -> Tight {
        let mut limbs = TightLimbs(ZERO_LIMBS);
        fiat::fiat_25519_carry_mul(&mut limbs, &self.0, &other.0);
        Tight(limbs)
    }

    /// The same element with its limbs carried.
    pub(super) fn carried(&self) -> Tight {
        let mut limbs = TightLimbs(ZERO_LIMBS);
        fiat::fiat_25519_carry(&mut limbs, &self.0);
        Tight(limbs)
    }

    /// Reads this element's memory only to bring it into the nearest cache.
    #[inline(always)]
    pub(super) fn touch(&self) {
        let [lowest, ..] = self.0.0;
        black_box(lowest);
    }
}
