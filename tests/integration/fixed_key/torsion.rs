//! Every combination of small-order components in key and R, and points of small order themselves.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, Verifier};

use super::reference::{Compared, Numbers, OddSigner, SIZES, joined};

/// 8 components in A, 8 in R, 1,000 signatures each: R fits by chance, where its component makes up for that of [k]A.
#[test]
fn components_of_small_order_in_key_and_r_change_no_verdict() {
    let mut numbers = Numbers(1);
    let (mut refused, mut accepted) = (0, 0);
    for in_key in EIGHT_TORSION {
        let signer = OddSigner::new(numbers.scalar(), in_key);
        let compared = Compared::new(&signer.key, &SIZES[1..]).unwrap();
        for in_r in EIGHT_TORSION {
            let signed: Vec<([u8; 8], [u8; 64])> = (0..1000_u64)
                .map(|number| (number.to_le_bytes(), signer.sign(&number.to_le_bytes(), numbers.scalar(), in_r)))
                .collect();
            for (message, signature) in &signed {
                match compared.verdict(message, signature) {
                    true => accepted += 1,
                    false => refused += 1,
                }
            }
            let all: Vec<(&[u8], &[u8; 64])> =
                signed.iter().map(|(message, signature)| (message.as_slice(), signature)).collect();
            compared.bulk_verdicts(&all);
        }
    }
    assert_eq!(accepted + refused, 64_000);
    // Of an R and an A without such a component all 1,000 fit. In the other cells it is k that decides.
    assert!((7_000..9_000).contains(&accepted), "{accepted} accepted");
}

/// Keys and R of small order, with S = 0: the equation holds for some of them, which is why the strict verifier refuses
/// them by name.
#[test]
fn points_of_small_order_are_refused_even_where_the_equation_holds() {
    let points: Vec<[u8; 32]> = EIGHT_TORSION.iter().flat_map(|point| spellings(point.compress().to_bytes())).collect();
    let mut loosely_accepted = 0;
    for key in &points {
        let Some(compared) = Compared::new(key, &SIZES) else { continue };
        for r in &points {
            for number in 0..8_u8 {
                let signature = joined(r, Scalar::ZERO.as_bytes());
                assert!(!compared.verdict(&[number], &signature));
                let loosely = compared.reference.verify(&[number], &Signature::from_bytes(&signature));
                loosely_accepted += usize::from(loosely.is_ok());
            }
        }
    }
    assert!(loosely_accepted > 50, "the equation held only {loosely_accepted} times");
}

/// An R of small order under an honest key: S = ka makes the equation hold, and the strict verifier still refuses.
#[test]
fn an_r_of_small_order_is_refused_under_an_honest_key() {
    let mut numbers = Numbers(2);
    let signer = OddSigner::new(numbers.scalar(), EIGHT_TORSION[0]);
    let compared = Compared::new(&signer.key, &SIZES).unwrap();
    for in_r in EIGHT_TORSION {
        for message in 0..50_u8 {
            let signature = signer.sign(&[message], Scalar::ZERO, in_r);
            assert!(!compared.verdict(&[message], &signature));
        }
    }
    let neutral = signer.sign(b"message", Scalar::ZERO, EIGHT_TORSION[0]);
    assert!(compared.reference.verify(b"message", &Signature::from_bytes(&neutral)).is_ok(), "the equation holds");
}

/// The bytes as they are, with the other sign, and with y + p where that fits.
fn spellings(bytes: [u8; 32]) -> Vec<[u8; 32]> {
    let mut other_sign = bytes;
    other_sign[31] ^= 0x80;
    let mut spellings = vec![bytes, other_sign];
    if bytes[0] < 19 && bytes[1..31].iter().all(|byte| *byte == 0) && bytes[31] & 0x7f == 0 {
        for first in [bytes, other_sign] {
            let mut larger = [0xff; 32];
            larger[0] = 0xed + first[0];
            larger[31] = 0x7f | first[31];
            spellings.push(larger);
        }
    }
    spellings
}
