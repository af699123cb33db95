//! Multiples of one point, laid out so that a product with any scalar is a sum of table entries.
//!
//! Row `i` of a table with windows of `w` bits holds `1, 2, .. 2^(w-1)` times `2^(w*i)` times the point. A scalar is
//! written in signed digits of radix `2^w`, and each digit picks one entry of its row, to add or to subtract. The digit
//! of the last row is not signed: its row has an entry for each value that a scalar below the group's order can have
//! there.

use core::hint::black_box;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha512};

use super::point::{Entry, Point};
use super::table_check::are_multiples;
use crate::error::{Error, Result};

/// Scalars are below the group's order, which is 2^252 and a little (RFC 8032, section 5.1).
const BITS: u32 = 252;

/// Rows of a table with the narrowest windows, of 4 bits.
const MAX_ROWS: usize = 63;

/// How many points become entries with one inversion: enough that its time is small compared with theirs, and few
/// enough to stay in the processor's second-level cache.
const AT_ONCE: usize = 512;

/// More bytes than those points take while they become entries, beside the table itself.
const SCRATCH_BYTES: usize = 160 * 1024;

/// The sum of the products: each scalar times the point of its table.
pub(in crate::keys) fn sum_of_products<const N: usize>(products: [(&WindowTable, &Scalar); N]) -> Point {
    let products = products.map(|(table, scalar)| (table, Digits::new(scalar, table.width)));
    let picked = || products.iter().flat_map(|(table, digits)| table.picked(digits));
    // All entries are read once before the first is added, so that the reads overlap. The processor would not look
    // ahead as far by itself: an addition has more instructions than it can have in flight.
    picked().for_each(|(entry, _)| entry.touch());
    let mut picked = picked();
    let first = picked.next().map_or(Point::NEUTRAL, |(entry, negative)| entry.to_point(negative));
    picked.fold(first, |mut sum, (entry, negative)| {
        sum.add(entry, negative);
        sum
    })
}

/// The multiples of one point, in rows of windows.
pub(in crate::keys) struct WindowTable {
    width: u32,
    entries: Vec<Entry>,
}

impl WindowTable {
    /// Computes the multiples of `point` for windows of 4 to 12 bits, and checks them.
    ///
    /// # Errors
    /// [`Error::KeyTableCorrupt`] if the finished table is not what it should be, [`Error::KeyTableMemory`] if there is no
    /// memory for it.
    pub(in crate::keys) fn new(point: &EdwardsPoint, width: u32) -> Result<Self> {
        let mut entries = Vec::new();
        let no_memory = |_| Error::KeyTableMemory { bytes: Self::bytes_for(width) };
        entries.try_reserve_exact(entry_count(width)).map_err(no_memory)?;
        // Given back at once: a small allocation that fails would end the process.
        let mut scratch = Vec::<u8>::new();
        scratch.try_reserve_exact(SCRATCH_BYTES).map_err(no_memory)?;
        drop(black_box(scratch));
        let table = Self::unchecked(point, width, entries).ok_or(Error::KeyTableCorrupt)?;
        table.check(point)?;
        Ok(table)
    }

    /// With memory for all entries.
    fn unchecked(point: &EdwardsPoint, width: u32, mut entries: Vec<Entry>) -> Option<Self> {
        let mut first = Point::of(point)?;
        let mut firsts = Vec::with_capacity(row_count(width));
        for _ in 0..row_count(width) {
            firsts.push(first);
            first = first.doubled_times(width);
        }
        let mut multiples = Vec::with_capacity(AT_ONCE);
        for (index, (first, step)) in firsts.iter().zip(Entry::all_of(&firsts)?).enumerate() {
            let is_last = index.saturating_add(1) == firsts.len();
            let mut multiple = *first;
            for place in 0..if is_last { last_row_len(width) } else { row_len(width) } {
                if place > 0 {
                    multiple.add(&step, false);
                }
                if multiples.len() == AT_ONCE {
                    entries.extend(Entry::all_of(&multiples)?);
                    multiples.clear();
                }
                multiples.push(multiple);
            }
        }
        entries.extend(Entry::all_of(&multiples)?);
        Some(Self { width, entries })
    }

    fn check(&self, point: &EdwardsPoint) -> Result<()> {
        let sample = Scalar::from_bytes_mod_order_wide(&Sha512::digest(point.compress().as_bytes()).into());
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&sample, point, &Scalar::ZERO);
        let product = sum_of_products([(self, &sample)]).encode();
        let is_sound = self.entries.len() == entry_count(self.width)
            && are_multiples(self.rows(), self.width, point)
            && product == Some(expected.compress().to_bytes());
        if is_sound { Ok(()) } else { Err(Error::KeyTableCorrupt) }
    }

    fn rows(&self) -> impl Iterator<Item = &[Entry]> + Clone {
        let rows_below = row_count(self.width).saturating_sub(1);
        let below = self.entries.get(..row_len(self.width).saturating_mul(rows_below)).unwrap_or_default();
        let last = self.entries.get(below.len()..).unwrap_or_default();
        below.chunks(row_len(self.width)).chain([last])
    }

    /// The memory that a table with windows of this width takes, in bytes.
    pub(in crate::keys) fn bytes_for(width: u32) -> usize {
        entry_count(width).saturating_mul(size_of::<Entry>())
    }

    /// The entries whose sum is the point times the scalar with these digits, and whether to subtract them.
    fn picked(&self, digits: &Digits) -> impl Iterator<Item = (&Entry, bool)> {
        let row_len = row_len(self.width);
        digits.0.iter().take(row_count(self.width)).enumerate().filter_map(move |(row, digit)| {
            // No entry for the digit 0.
            let place = usize::from(digit.unsigned_abs()).checked_sub(1)?;
            Some((self.entries.get(row.wrapping_mul(row_len).wrapping_add(place))?, *digit < 0))
        })
    }
}

/// Rows of a table, and digits of a scalar.
fn row_count(width: u32) -> usize {
    usize::try_from(BITS.div_ceil(width)).unwrap_or_default()
}

/// Entries of every row but the last: digits are signed, so half of the radix is enough.
fn row_len(width: u32) -> usize {
    1 << width.saturating_sub(1)
}

/// Entries of the last row: the highest digit of the group's order, at most the radix. A scalar with this digit has
/// only zeros in the next hundred bits, so no carry makes it larger.
fn last_row_len(width: u32) -> usize {
    let rows_below = BITS.div_ceil(width).saturating_sub(1);
    1 << BITS.saturating_sub(width.saturating_mul(rows_below))
}

fn entry_count(width: u32) -> usize {
    row_count(width).saturating_sub(1).saturating_mul(row_len(width)).saturating_add(last_row_len(width))
}

/// The digits of a scalar, lowest first: each in `-2^(w-1) < digit <= 2^(w-1)`, but the last, which is not negative and
/// at most `2^w`.
struct Digits([i16; MAX_ROWS]);

impl Digits {
    fn new(scalar: &Scalar, width: u32) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(scalar.as_bytes().as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let rows_below = row_count(width).saturating_sub(1);
        let (radix, half) = (1_u64 << width, 1_u64 << width.saturating_sub(1));
        let signed = |value: u64| i16::try_from(value).unwrap_or_default();
        let mut digits = [0; MAX_ROWS];
        let mut carry = 0;
        for (row, digit) in digits.iter_mut().enumerate().take(rows_below.saturating_add(1)) {
            let [a, b, c, d] = words;
            if row == rows_below {
                *digit = signed(a.wrapping_add(carry));
                break;
            }
            let value = (a & radix.wrapping_sub(1)).wrapping_add(carry);
            carry = u64::from(value > half);
            *digit = signed(value).wrapping_sub(signed(radix.wrapping_mul(carry)));
            let down = |low: u64, high: u64| low >> width | high << 64_u32.wrapping_sub(width);
            words = [down(a, b), down(b, c), down(c, d), d >> width];
        }
        Self(digits)
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};

    use super::super::point::encode_all;
    use super::*;

    const WIDTHS: [u32; 5] = [4, 5, 6, 8, 12];

    #[test]
    fn products_agree_with_the_curve_library_on_points_of_every_order() {
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(2_u64), Scalar::from(u64::MAX)];
        let powers = (0..=252).map(|power| Scalar::from_bytes_mod_order(bit(power)));
        let below = |power: &Scalar| power - Scalar::ONE;
        let scalars: Vec<Scalar> =
            edges.into_iter().chain(powers.clone().flat_map(|power| [power, -power, below(&power)])).collect();
        for torsion in EIGHT_TORSION {
            let point = ED25519_BASEPOINT_POINT + torsion;
            let expected: Vec<EdwardsPoint> = scalars.iter().map(|scalar| point * scalar).collect();
            let expected: Vec<[u8; 32]> =
                EdwardsPoint::compress_batch_alloc(&expected).into_iter().map(|point| point.to_bytes()).collect();
            for width in WIDTHS {
                let table = WindowTable::new(&point, width).unwrap();
                let products: Vec<Point> = scalars.iter().map(|scalar| sum_of_products([(&table, scalar)])).collect();
                assert_eq!(encode_all(&products).unwrap(), expected, "{width} bits");
            }
        }
    }

    fn bit(power: usize) -> [u8; 32] {
        core::array::from_fn(|byte| if byte == power / 8 { 1 << (power % 8) } else { 0 })
    }

    #[test]
    fn digits_make_up_the_scalar_and_stay_within_their_rows() {
        let powers = (0..=252).map(|power| Scalar::from_bytes_mod_order(bit(power)));
        let around = powers.flat_map(|power| [power - Scalar::ONE, power, -power, -power - Scalar::ONE]);
        for scalar in around {
            for width in WIDTHS {
                let digits = &Digits::new(&scalar, width).0[..row_count(width)];
                let radix = Scalar::from(1_u64 << width);
                let signed = |digit: i16| {
                    let magnitude = Scalar::from(digit.unsigned_abs());
                    if digit < 0 { -magnitude } else { magnitude }
                };
                let sum = digits.iter().rev().fold(Scalar::ZERO, |sum, digit| sum * radix + signed(*digit));
                assert_eq!(sum, scalar, "{width} bits");
                let (last, others) = digits.split_last().unwrap();
                assert!(usize::try_from(*last).unwrap() <= last_row_len(width), "{width} bits, {scalar:?}");
                for digit in others {
                    assert!(usize::from(digit.unsigned_abs()) <= row_len(width), "{width} bits, {scalar:?}");
                }
            }
        }
    }

    #[test]
    fn a_corrupted_table_is_noticed_wherever_it_is_corrupted() {
        let point = ED25519_BASEPOINT_POINT;
        let sound = WindowTable::unchecked(&point, 4, Vec::new()).unwrap();
        assert_eq!(sound.check(&point), Ok(()));
        for index in 0..sound.entries.len() {
            let mut corrupted = WindowTable::unchecked(&point, 4, Vec::new()).unwrap();
            let other = sound.entries[(index + 1) % sound.entries.len()];
            corrupted.entries[index] = other;
            assert_eq!(corrupted.check(&point), Err(Error::KeyTableCorrupt), "entry {index}");
            let parts: [fn(&mut Entry, &Entry); 3] = [
                |entry, other| entry.half_sum = other.half_sum,
                |entry, other| entry.half_difference = other.half_difference,
                |entry, other| entry.dxy = other.dxy,
            ];
            for (number, corrupt) in parts.iter().enumerate() {
                corrupted.entries[index] = sound.entries[index];
                corrupt(&mut corrupted.entries[index], &other);
                assert_eq!(corrupted.check(&point), Err(Error::KeyTableCorrupt), "entry {index}, part {number}");
            }
        }
        let mut swapped = WindowTable::unchecked(&point, 4, Vec::new()).unwrap();
        swapped.entries.rotate_left(1);
        assert_eq!(swapped.check(&point), Err(Error::KeyTableCorrupt));
        let mut truncated = WindowTable::unchecked(&point, 4, Vec::new()).unwrap();
        truncated.entries.pop();
        assert_eq!(truncated.check(&point), Err(Error::KeyTableCorrupt));
        assert_eq!(sound.check(&(point + point)), Err(Error::KeyTableCorrupt), "another point's table");
    }

    #[test]
    fn an_entry_that_is_off_by_a_point_of_small_order_is_noticed() {
        let point = ED25519_BASEPOINT_POINT;
        let torsion: Vec<Point> = EIGHT_TORSION.iter().map(|torsion| Point::of(torsion).unwrap()).collect();
        for torsion in Entry::all_of(&torsion).unwrap().skip(1) {
            let mut corrupted = WindowTable::unchecked(&point, 4, Vec::new()).unwrap();
            let mut wrong = corrupted.entries[100].to_point(false);
            wrong.add(&torsion, false);
            corrupted.entries[100] = Entry::all_of(&[wrong]).unwrap().next().unwrap();
            assert_eq!(corrupted.check(&point), Err(Error::KeyTableCorrupt));
        }
    }
}
