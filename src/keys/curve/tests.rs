//! Every formula against `curve25519-dalek`, and every operation on field elements against plain integers: 20,000
//! random cases, or as many as `PULSE_TRUST_RANDOM` says, and all special ones.

#![allow(clippy::arithmetic_side_effects, reason = "operations of a finite group and of 256-bit integers below 2^255")]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ruint::aliases::U256;

use super::field::Tight;
use super::point::{Entry, Point, encode_all};

const P: U256 = U256::from_limbs([0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, u64::MAX >> 1]);

fn count() -> usize {
    std::env::var("PULSE_TRUST_RANDOM").map_or(20_000, |count| count.parse().unwrap())
}

/// Random-looking numbers that are the same in every run: SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self) -> [u8; 32] {
        U256::from_limbs([self.next(), self.next(), self.next(), self.next()]).to_le_bytes()
    }

    fn scalar(&mut self) -> Scalar {
        Scalar::from_bytes_mod_order(self.bytes())
    }
}

/// Integers at the edges of p, of the limbs, and of 255 bits.
fn edges() -> Vec<U256> {
    let near = |value: U256| (0..8).map(move |step| value.wrapping_add(U256::from(step)).wrapping_sub(U256::from(4)));
    let bits = [25, 26, 51, 52, 64, 102, 128, 153, 192, 204, 230, 254, 255];
    let mut edges: Vec<U256> = bits.into_iter().flat_map(|bit| near(U256::ONE << bit)).collect();
    edges.extend(near(P));
    edges.extend((0..40).map(U256::from));
    edges.into_iter().map(|edge| edge & (U256::MAX >> 1)).collect()
}

fn element(value: U256) -> Tight {
    Tight::from_bytes(&value.to_le_bytes())
}

fn integer(element: Tight) -> U256 {
    U256::from_le_bytes(element.to_bytes())
}

/// Every operation on a pair of elements, against the same on integers.
fn compare_field(a: U256, b: U256) {
    let (x, y) = (element(a), element(b));
    let (a, b) = (a % P, b % P);
    let difference = |a: U256, b: U256| a.add_mod(P - b, P);
    assert_eq!(integer(x), a);
    assert_eq!(integer(x.plus(&y).carried()), a.add_mod(b, P), "{a} + {b}");
    assert_eq!(integer(x.minus(&y).carried()), difference(a, b), "{a} - {b}");
    assert_eq!(integer(x.times(&y)), a.mul_mod(b, P), "{a} * {b}");
    assert_eq!(integer(x.squared()), a.mul_mod(a, P), "{a} ^ 2");
    assert_eq!(x == y, a == b);
    assert_eq!(x.is_odd(), a.bit(0));
    // Loose elements, with their limbs as long as they get.
    let expected = a.add_mod(b, P).mul_mod(difference(a, b), P);
    assert_eq!(integer(x.plus(&y).times(&x.minus(&y))), expected, "({a} + {b}) * ({a} - {b})");
}

/// The inverse, and the square root of a quotient, against powers of integers.
fn compare_inverse_and_root(a: U256, b: U256) {
    let (x, y) = (element(a), element(b));
    let (a, b) = (a % P, b % P);
    assert_eq!(x.inverted().map(integer), a.inv_mod(P), "1 / {a}");
    let Some(root) = x.root_of_quotient(&y) else {
        // The quotient is not a square, by Euler's criterion, or y is zero.
        let exponent = (P - U256::ONE) >> 1;
        assert!(b.is_zero() || a.mul_mod(b, P).pow_mod(exponent, P) == P - U256::ONE, "sqrt({a} / {b})");
        return;
    };
    assert!(root.squared().times(&y) == x, "sqrt({a} / {b})");
    assert!(!root.is_odd(), "sqrt({a} / {b})");
}

#[test]
fn field_operations_agree_with_integers() {
    let edges = edges();
    for a in &edges {
        for b in &edges {
            compare_field(*a, *b);
        }
        compare_inverse_and_root(*a, U256::ONE);
        compare_inverse_and_root(U256::ONE, *a);
    }
    let mut numbers = Numbers(1);
    for round in 0..count() {
        let [a, b] = [numbers.bytes(), numbers.bytes()].map(|bytes| U256::from_le_bytes(bytes) >> 1);
        compare_field(a, b);
        if round % 16 == 0 {
            compare_inverse_and_root(a, b);
        }
    }
}

#[test]
fn inverses_together_are_those_alone_and_zero_has_none() {
    let mut numbers = Numbers(2);
    let mut elements: Vec<Tight> = (0..50).map(|_| Tight::from_bytes(&numbers.bytes())).collect();
    let together = Tight::inverted_all(&elements).unwrap();
    for (element, inverse) in elements.iter().zip(together) {
        assert!(element.inverted().unwrap() == inverse);
    }
    assert!(Tight::inverted_all(&[]).unwrap().is_empty());
    assert!(element(P).inverted().is_none());
    elements.push(Tight::ZERO);
    assert!(Tight::inverted_all(&elements).is_none());
}

fn encoding(point: EdwardsPoint) -> [u8; 32] {
    point.compress().to_bytes()
}

/// Adds each of `seconds` to each of `firsts`, subtracts it, and doubles, and compares the results.
fn compare_points(firsts: &[EdwardsPoint], seconds: &[EdwardsPoint]) {
    let points =
        |library: &[EdwardsPoint]| -> Vec<Point> { library.iter().map(|point| Point::of(point).unwrap()).collect() };
    let (own_firsts, entries) = (points(firsts), Entry::all_of(&points(seconds)).unwrap().collect::<Vec<_>>());
    for (first, own_first) in firsts.iter().zip(&own_firsts) {
        assert_eq!(own_first.encode().unwrap(), encoding(*first));
        assert_eq!(own_first.doubled_times(1).encode().unwrap(), encoding(first + first));
        let (mut own, mut expected) = (Vec::new(), Vec::new());
        for (second, entry) in seconds.iter().zip(&entries) {
            for (negative, sum) in [(false, first + second), (true, first - second)] {
                let mut own_sum = *own_first;
                own_sum.add(entry, negative);
                // A result that is added again, so that T and a Z other than 1 count too.
                let mut own_again = own_sum;
                own_again.add(entry, negative);
                own.extend([own_sum, own_again, own_again.doubled_times(1), entry.to_point(negative)]);
                let again = if negative { sum - second } else { sum + second };
                expected.extend([sum, again, again + again, if negative { -second } else { *second }]);
            }
        }
        let expected: Vec<[u8; 32]> =
            EdwardsPoint::compress_batch_alloc(&expected).into_iter().map(|point| point.to_bytes()).collect();
        assert_eq!(encode_all(&own).unwrap(), expected);
    }
}

#[test]
fn additions_agree_on_every_pair_of_special_points() {
    let base = ED25519_BASEPOINT_POINT;
    let multiples = [EIGHT_TORSION[0], base, -base, base + base, base * -Scalar::from(2_u8), base * Scalar::from(7_u8)];
    // The neutral point, all points of small order, and equal and opposite points with and without such a component.
    let special: Vec<EdwardsPoint> =
        multiples.iter().flat_map(|point| EIGHT_TORSION.iter().map(move |torsion| point + torsion)).collect();
    compare_points(&special, &special);
}

#[test]
fn additions_agree_on_random_points() {
    let mut numbers = Numbers(3);
    const BATCH: usize = 100;
    // Each batch compares 4 results for each of 100 pairs, in steps of one random point from another.
    for batch in 0..count().div_ceil(BATCH) {
        let step = EdwardsPoint::mul_base(&numbers.scalar());
        let start = EdwardsPoint::mul_base(&numbers.scalar()) + EIGHT_TORSION[batch % 8];
        let seconds: Vec<EdwardsPoint> =
            core::iter::successors(Some(start), |point| Some(point + step)).take(BATCH).collect();
        compare_points(&[EdwardsPoint::mul_base(&numbers.scalar())], &seconds);
    }
}
