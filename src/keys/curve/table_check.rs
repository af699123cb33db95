//! The self-check of a table: it notices an entry that a fault of the machine, or of this code, has made wrong.
//!
//! The first and the last entry of each row are compared with multiples that the curve library computes. Between them,
//! each entry is the one before it plus the first of the row. With s = (y + x)/2 and t = (y - x)/2, the addition formula
//! (Hisil, Wong, Carter and Dawson 2008, section 3.1) says of entry `k + 1`:
//!
//! - s[k+1] = 2 s[k] s[1] + dxy[k] xy[1] t[k+1]
//! - t[k+1] = 2 t[k] t[1] + dxy[k] xy[1] s[k+1]
//!
//! Both are summed up over the row, so s[1], t[1] and xy[1] can be factored out of the sums. An entry then takes two
//! multiplications, where adding it to a sum of points takes seven. A wrong entry changes the sums, except for one
//! value in 2^255 by chance.

use curve25519_dalek::edwards::EdwardsPoint;

use super::field::{Loose, Tight};
use super::point::{D, Entry};

/// Whether row `i` holds `1, 2, ..` times `2^(width*i)` times the point. The length of each row is a power of two.
pub(super) fn are_multiples<'a>(
    rows: impl Iterator<Item = &'a [Entry]> + Clone,
    width: u32,
    point: &EdwardsPoint,
) -> bool {
    let mut ends = Vec::new();
    let mut first = *point;
    for row in rows.clone() {
        let doublings = row.len().trailing_zeros();
        let last = doubled_times(first, doublings);
        ends.extend([first, last]);
        // No row follows the last, which may be longer than the others.
        first = doubled_times(last, width.saturating_sub(doublings));
    }
    let ends = EdwardsPoint::compress_batch_alloc(&ends);
    rows.zip(ends.as_chunks::<2>().0).all(|(row, [first, last])| {
        let ([own_first, ..], [.., own_last]) = (row, row) else { return false };
        own_first.encode() == first.to_bytes()
            && own_last.encode() == last.to_bytes()
            && own_last.has_right_dxy()
            && follow_each_other(row, own_first, own_last)
    })
}

fn doubled_times(point: EdwardsPoint, doublings: u32) -> EdwardsPoint {
    #[allow(clippy::arithmetic_side_effects, reason = "operations of a finite group overflow nowhere")]
    (0..doublings).fold(point, |point, _| point + point)
}

/// Both sums of the equations above over the row.
fn follow_each_other(row: &[Entry], first: &Entry, last: &Entry) -> bool {
    let (mut s, mut t) = (first.half_sum.carried(), first.half_difference.carried());
    let (mut dxy_s, mut dxy_t) = (Tight::ZERO, Tight::ZERO);
    for (entry, next) in row.iter().zip(row.iter().skip(1)) {
        s = s.plus(&next.half_sum.carried()).carried();
        t = t.plus(&next.half_difference.carried()).carried();
        dxy_s = dxy_s.plus(&entry.dxy.times(&next.half_sum)).carried();
        dxy_t = dxy_t.plus(&entry.dxy.times(&next.half_difference)).carried();
    }
    let (x, y) = first.coordinates();
    let xy = x.times(&y);
    let holds = |all: &Tight, first: &Loose, last: &Loose, crossed: &Tight| {
        let (first, last) = (first.carried(), last.carried());
        let (after, before) = (all.minus(&first).carried(), all.minus(&last));
        let product = before.times(&first.loose());
        after == product.plus(&product).carried().plus(&xy.times(crossed)).carried()
    };
    holds(&s, &first.half_sum, &last.half_sum, &dxy_t)
        && holds(&t, &first.half_difference, &last.half_difference, &dxy_s)
}

impl Entry {
    /// The last entry's, which no other one follows.
    fn has_right_dxy(&self) -> bool {
        let (x, y) = self.coordinates();
        self.dxy.carried() == x.times(&y).times(&D)
    }
}
