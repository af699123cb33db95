//! Multiples of one point, laid out so that a product with any scalar is additions of table entries only.
//!
//! Row `i` of a table with windows of `w` bits holds `1, 2, .. 2^(w-1)` times `2^(w*i)` times the point. A scalar is
//! written in signed digits of radix `2^w`, and each digit picks one entry of its row, to add or to subtract. What is
//! multiplied here is public, so the time may depend on it.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use sha2::{Digest, Sha512};

use crate::error::{Error, Result};

/// The multiples of one point, in rows of signed windows.
pub(super) struct WindowTable {
    width: u32,
    row_len: usize,
    entries: Vec<EdwardsPoint>,
}

impl WindowTable {
    /// Computes the multiples of `point` for windows of 2 to 12 bits, and checks them.
    ///
    /// # Errors
    /// [`Error::KeyTableCorrupt`] where the finished table is not what it should be.
    pub(super) fn new(point: &EdwardsPoint, width: u32) -> Result<Self> {
        let table = Self::unchecked(point, width);
        table.check(point)?;
        Ok(table)
    }

    #[allow(clippy::arithmetic_side_effects, reason = "operations of a finite group overflow nowhere")]
    fn unchecked(point: &EdwardsPoint, width: u32) -> Self {
        let row_len = row_len(width);
        let mut entries = Vec::with_capacity(row_count(width).saturating_mul(row_len));
        let mut base = *point;
        for _ in 0..row_count(width) {
            let mut multiple = EdwardsPoint::identity();
            for _ in 0..row_len {
                multiple += base;
                entries.push(multiple);
            }
            // The last entry is 2^(w-1) times the row's base: twice that begins the next row.
            base = multiple + multiple;
        }
        Self { width, row_len, entries }
    }

    /// Notices any entry that is wrong: the sum of all of them is a multiple of `point` that the curve library computes
    /// by its own way. A product with a scalar that depends on the point says that the entries stand where they should.
    #[allow(clippy::arithmetic_side_effects, reason = "operations of a finite group overflow nowhere")]
    fn check(&self, point: &EdwardsPoint) -> Result<()> {
        // Begun with a point that is not neutral, so that every coordinate of every entry has its part in the sum.
        let sum = self.entries.iter().fold(*point, |sum, entry| sum + entry);
        let sample = Scalar::from_bytes_mod_order_wide(&Sha512::digest(point.compress().as_bytes()).into());
        let mut product = EdwardsPoint::identity();
        self.add_product(&mut product, &sample);
        let expected = [point + self.expected_sum(point), point * sample];
        if [sum, product] == expected { Ok(()) } else { Err(Error::KeyTableCorrupt) }
    }

    /// `(1 + .. + 2^(w-1)) * (1 + 2^w + 2^(2w) + ..)` times the point, one term for each row. The factor is not reduced
    /// modulo the order of the base point: the key may be of another order.
    #[allow(clippy::arithmetic_side_effects, reason = "operations of a finite group overflow nowhere")]
    fn expected_sum(&self, point: &EdwardsPoint) -> EdwardsPoint {
        let of_row = (1..=self.row_len)
            .fold(0_u64, |sum, multiple| sum.saturating_add(u64::try_from(multiple).unwrap_or_default()));
        let mut term = point * Scalar::from(of_row);
        let mut sum = EdwardsPoint::identity();
        for _ in 0..row_count(self.width) {
            sum += term;
            for _ in 0..self.width {
                term += term;
            }
        }
        sum
    }

    /// The memory that a table with windows of this width takes, in bytes.
    pub(super) fn bytes_for(width: u32) -> usize {
        row_count(width).saturating_mul(row_len(width)).saturating_mul(size_of::<EdwardsPoint>())
    }

    /// Adds `scalar` times the point to `sum`.
    pub(super) fn add_product(&self, sum: &mut EdwardsPoint, scalar: &Scalar) {
        for (row, digit) in self.rows().zip(SignedDigits::new(scalar, self.width)) {
            add_multiple(sum, row, digit);
        }
    }

    /// Adds to each of `sums` the point times the scalar that stands at the same place. Row by row, so that a row stays
    /// in the nearest cache while all sums take their entry of it.
    pub(super) fn add_products<'s>(&self, sums: &mut [EdwardsPoint], scalars: impl Iterator<Item = &'s Scalar>) {
        let mut digits: Vec<_> = scalars.map(|scalar| SignedDigits::new(scalar, self.width)).collect();
        for row in self.rows() {
            for (sum, digits) in sums.iter_mut().zip(&mut digits) {
                add_multiple(sum, row, digits.next_digit());
            }
        }
    }

    fn rows(&self) -> impl Iterator<Item = &[EdwardsPoint]> {
        self.entries.chunks_exact(self.row_len)
    }
}

/// The multiples that a row holds: digits are signed, so half of the radix is enough.
fn row_len(width: u32) -> usize {
    1 << width.saturating_sub(1)
}

/// So many digits hold every scalar below 2^253 and the carry.
fn row_count(width: u32) -> usize {
    usize::try_from(254_u32.div_ceil(width)).unwrap_or_default()
}

#[allow(clippy::arithmetic_side_effects, reason = "operations of a finite group overflow nowhere")]
fn add_multiple(sum: &mut EdwardsPoint, row: &[EdwardsPoint], digit: i32) {
    let index = usize::try_from(digit.unsigned_abs()).unwrap_or_default().wrapping_sub(1);
    // No entry for the digit 0.
    match row.get(index) {
        Some(entry) if digit < 0 => *sum -= entry,
        Some(entry) => *sum += entry,
        None => {}
    }
}

/// The signed digits of a scalar, lowest first, each in `-2^(w-1) < digit <= 2^(w-1)`; they never end.
struct SignedDigits {
    words: [u64; 4],
    width: u32,
    carry: u64,
}

impl SignedDigits {
    fn new(scalar: &Scalar, width: u32) -> Self {
        let (words, _) = scalar.as_bytes().as_chunks::<8>();
        let mut scalar = [0; 4];
        for (word, bytes) in scalar.iter_mut().zip(words) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self { words: scalar, width, carry: 0 }
    }

    fn next_digit(&mut self) -> i32 {
        let radix = 1_u64 << self.width;
        let [a, b, c, d] = self.words;
        let digit = (a & radix.wrapping_sub(1)).wrapping_add(self.carry);
        let down = |low: u64, high: u64| low >> self.width | high << 64_u32.wrapping_sub(self.width);
        self.words = [down(a, b), down(b, c), down(c, d), d >> self.width];
        self.carry = u64::from(digit > radix >> 1);
        // Digits stay below 2^13.
        let signed = |value: u64| i32::try_from(value).unwrap_or_default();
        signed(digit).wrapping_sub(signed(radix.wrapping_mul(self.carry)))
    }
}

impl Iterator for SignedDigits {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        Some(self.next_digit())
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};

    use super::*;

    const WIDTHS: [u32; 6] = [2, 4, 5, 6, 8, 12];

    #[test]
    fn products_agree_with_the_curve_library_on_points_of_every_order() {
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(2_u64), Scalar::from(u64::MAX)];
        let powers = (0..252).map(|power| Scalar::from_bytes_mod_order(bit(power)));
        let scalars: Vec<Scalar> = edges.into_iter().chain(powers.clone()).chain(powers.map(|power| -power)).collect();
        for torsion in EIGHT_TORSION {
            let point = ED25519_BASEPOINT_POINT + torsion;
            for width in WIDTHS {
                let table = WindowTable::new(&point, width).unwrap();
                let mut together = vec![EdwardsPoint::identity(); scalars.len()];
                table.add_products(&mut together, scalars.iter());
                for (scalar, together) in scalars.iter().zip(together) {
                    let mut sum = EdwardsPoint::identity();
                    table.add_product(&mut sum, scalar);
                    let expected = point * scalar;
                    assert_eq!(sum, expected, "{width} bits, {scalar:?}");
                    assert_eq!(together, expected, "{width} bits, {scalar:?}");
                }
            }
        }
    }

    fn bit(power: usize) -> [u8; 32] {
        core::array::from_fn(|byte| if byte == power / 8 { 1 << (power % 8) } else { 0 })
    }

    #[test]
    fn a_corrupted_table_is_noticed_wherever_it_is_corrupted() {
        let point = ED25519_BASEPOINT_POINT;
        let sound = WindowTable::unchecked(&point, 4);
        assert_eq!(sound.check(&point), Ok(()));
        for index in 0..sound.entries.len() {
            let mut corrupted = WindowTable::unchecked(&point, 4);
            corrupted.entries[index] = sound.entries[(index + 1) % sound.entries.len()];
            assert_eq!(corrupted.check(&point), Err(Error::KeyTableCorrupt), "entry {index}");
        }
        let mut swapped = WindowTable::unchecked(&point, 4);
        swapped.entries.rotate_left(1);
        assert_eq!(swapped.check(&point), Err(Error::KeyTableCorrupt));
        let mut truncated = WindowTable::unchecked(&point, 4);
        truncated.entries.pop();
        assert_eq!(truncated.check(&point), Err(Error::KeyTableCorrupt));
        assert_eq!(sound.check(&(point + point)), Err(Error::KeyTableCorrupt), "another point's table");
    }

    #[test]
    fn an_entry_that_is_off_by_a_point_of_small_order_is_noticed() {
        let point = ED25519_BASEPOINT_POINT;
        for torsion in EIGHT_TORSION.iter().skip(1) {
            let mut corrupted = WindowTable::unchecked(&point, 4);
            corrupted.entries[100] += torsion;
            assert_eq!(corrupted.check(&point), Err(Error::KeyTableCorrupt));
        }
    }
}
