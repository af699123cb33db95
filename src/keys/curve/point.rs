//! Points of the curve -x^2 + y^2 = 1 + d x^2 y^2 and their addition.
//!
//! The formulas are those of Hisil, Wong, Carter and Dawson, "Twisted Edwards Curves Revisited" (2008), section 3.1,
//! for a = -1. They are complete on this curve, where -1 is a square and d is not: no pair of points is an exception,
//! be they equal, opposite, neutral or of small order.

use curve25519_dalek::edwards::EdwardsPoint;

use super::field::{Loose, Tight};

/// The curve's d (RFC 8032, section 5.1).
pub(super) const D: Tight = Tight::from_bytes(&[
    0xa3, 0x78, 0x59, 0x13, 0xca, 0x4d, 0xeb, 0x75, 0xab, 0xd8, 0x41, 0x41, 0x4d, 0x0a, 0x70, 0x00, 0x98, 0xe8, 0x79,
    0x77, 0x79, 0x40, 0xc7, 0x8c, 0x73, 0xfe, 0x6f, 0x2b, 0xee, 0x6c, 0x03, 0x52,
]);

/// A point in extended coordinates: x = X/Z, y = Y/Z, and T = XY/Z.
#[derive(Clone, Copy)]
pub(in crate::keys) struct Point {
    x: Tight,
    y: Tight,
    z: Tight,
    t: Tight,
}

/// A precomputed point, ready to be added: (y + x)/2, (y - x)/2 and dxy of its affine coordinates. Twice these values
/// are usual; the halves save a doubling of Z in each addition and yield the same point, all coordinates divided by
/// four.
///
/// An entry fills two cache lines of 64 bytes, where 120 bytes without alignment mostly touch three.
#[derive(Clone, Copy)]
#[repr(align(128))]
pub(super) struct Entry {
    pub(super) half_sum: Loose,
    pub(super) half_difference: Loose,
    pub(super) dxy: Loose,
}

impl Point {
    pub(in crate::keys) const NEUTRAL: Self = Self { x: Tight::ZERO, y: Tight::ONE, z: Tight::ONE, t: Tight::ZERO };

    /// The same point as one of the curve library's; `None` never in practice.
    pub(super) fn of(point: &EdwardsPoint) -> Option<Self> {
        Self::decode(&point.compress().to_bytes())
    }

    /// Reads a point (RFC 8032, section 5.1.3), here always one that the curve library wrote.
    fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let y = Tight::from_bytes(bytes);
        let square = y.squared();
        let denominator = square.times(&D).plus(&Tight::ONE).carried();
        let even = square.minus(&Tight::ONE).carried().root_of_quotient(&denominator)?;
        let [.., last] = bytes;
        let x = if last >> 7 == 1 { Tight::ZERO.minus(&even).carried() } else { even };
        Some(Self { x, y, z: Tight::ONE, t: x.times(&y) })
    }

    /// Adds a precomputed point, or subtracts it: 7 multiplications.
    #[inline(always)]
    pub(super) fn add(&mut self, entry: &Entry, negative: bool) {
        // The opposite point has -x for x: its sum and difference change places, and dxy its sign.
        let (sum, difference) = match negative {
            true => (&entry.half_difference, &entry.half_sum),
            false => (&entry.half_sum, &entry.half_difference),
        };
        let a = self.y.minus(&self.x).times(difference);
        let b = self.y.plus(&self.x).times(sum);
        let c = self.t.loose().times(&entry.dxy);
        let (plus, minus) = (self.z.plus(&c), self.z.minus(&c));
        let (f, g) = if negative { (&plus, &minus) } else { (&minus, &plus) };
        *self = Self::from_factors(&b.minus(&a), f, g, &b.plus(&a));
    }

    /// Twice the point, by the formula for any two points.
    fn doubled(&self) -> Self {
        let (difference, sum) = (self.y.minus(&self.x), self.y.plus(&self.x));
        let (a, b) = (difference.times(&difference), sum.times(&sum));
        let c = self.t.plus(&self.t).times(&self.t.times(&D).loose());
        let d = self.z.plus(&self.z).times(&self.z.loose());
        Self::from_factors(&b.minus(&a), &d.minus(&c), &d.plus(&c), &b.plus(&a))
    }

    /// The point whose x is E/G and whose y is H/F.
    #[inline(always)]
    fn from_factors(e: &Loose, f: &Loose, g: &Loose, h: &Loose) -> Self {
        Self { x: e.times(f), y: g.times(h), z: f.times(g), t: e.times(h) }
    }

    /// `2^doublings` times the point.
    pub(super) fn doubled_times(&self, doublings: u32) -> Self {
        (0..doublings).fold(*self, |point, _| point.doubled())
    }

    /// The canonical encoding (RFC 8032, section 5.1.2); `None` never in practice.
    pub(in crate::keys) fn encode(&self) -> Option<[u8; 32]> {
        Some(self.encode_with(&self.z.inverted()?))
    }

    fn encode_with(&self, inverse_of_z: &Tight) -> [u8; 32] {
        encode_affine(&self.x.times(inverse_of_z), &self.y.times(inverse_of_z))
    }
}

impl Entry {
    /// The points as entries, with one inversion for all.
    pub(super) fn all_of(points: &[Point]) -> Option<impl Iterator<Item = Self>> {
        // A quarter of this is d.
        let d2 = D.plus(&D).carried();
        let d4 = d2.plus(&d2);
        let doubled: Vec<Tight> = points.iter().map(|point| point.z.plus(&point.z).carried()).collect();
        let halves = Tight::inverted_all(&doubled)?;
        let entry = move |(point, half): (&Point, Tight)| {
            let (x, y) = (point.x.times_inlined(&half), point.y.times_inlined(&half));
            Self {
                half_sum: y.plus(&x),
                half_difference: y.minus(&x),
                dxy: x.times_inlined(&y).loose().times(&d4).loose(),
            }
        };
        Some(points.iter().zip(halves).map(entry))
    }

    /// The point, or its opposite, in extended coordinates.
    pub(super) fn to_point(self, negative: bool) -> Point {
        let (mut x, y) = self.coordinates();
        if negative {
            x = Tight::ZERO.minus(&x).carried();
        }
        Point { x, y, z: Tight::ONE, t: x.times(&y) }
    }

    /// The point's x and y.
    pub(super) fn coordinates(&self) -> (Tight, Tight) {
        let (sum, difference) = (self.half_sum.carried(), self.half_difference.carried());
        (sum.minus(&difference).carried(), sum.plus(&difference).carried())
    }

    /// The point's canonical encoding.
    pub(super) fn encode(&self) -> [u8; 32] {
        let (x, y) = self.coordinates();
        encode_affine(&x, &y)
    }

    /// Reads both of the entry's cache lines, so that they are being fetched.
    #[inline(always)]
    pub(super) fn touch(&self) {
        self.half_sum.touch();
        self.dxy.touch();
    }
}

/// RFC 8032, section 5.1.2.
fn encode_affine(x: &Tight, y: &Tight) -> [u8; 32] {
    let mut bytes = y.to_bytes();
    let [.., last] = &mut bytes;
    *last |= u8::from(x.is_odd()) << 7;
    bytes
}

/// The encodings of many points, with one inversion for all; `None` never in practice.
pub(in crate::keys) fn encode_all(points: &[Point]) -> Option<Vec<[u8; 32]>> {
    let zs: Vec<Tight> = points.iter().map(|point| point.z).collect();
    let inverses = Tight::inverted_all(&zs)?;
    Some(points.iter().zip(&inverses).map(|(point, inverse)| point.encode_with(inverse)).collect())
}
