//! S and the encodings at their limits, and every single bit of key, signature and message.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, VerifyingKey};
use pulse_trust::keys::TableSize;

use super::reference::{Compared, Numbers, OddSigner, SIZES, challenge, joined};

/// The order of the base point, lowest byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn sum(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    let mut carry = 0;
    core::array::from_fn(|index| {
        let sum = u16::from(a[index]) + u16::from(b[index]) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    })
}

#[test]
fn s_counts_only_below_the_order() {
    let mut numbers = Numbers(3);
    let signer = OddSigner::new(numbers.scalar(), EIGHT_TORSION[0]);
    let compared = Compared::new(&signer.key, &SIZES).unwrap();
    for number in 0..100_u8 {
        let signature = signer.sign(&[number], numbers.scalar(), EIGHT_TORSION[0]);
        assert!(compared.verdict(&[number], &signature));
        // The same residue, 1 to 14 times the order higher: the same point, another spelling.
        let (r, mut s) = (signature[..32].try_into().unwrap(), signature[32..].try_into().unwrap());
        for times in 1..15 {
            s = sum(s, ORDER);
            assert!(!compared.verdict(&[number], &joined(&r, &s)), "{times} times the order more");
        }
    }
}

#[test]
fn edges_of_s_get_the_same_verdict() {
    let mut numbers = Numbers(4);
    let one = {
        let mut bytes = [0; 32];
        bytes[0] = 1;
        bytes
    };
    let power = |bit: usize| core::array::from_fn(|byte| if byte == bit / 8 { 1 << (bit % 8) } else { 0 });
    let mut edges =
        vec![[0; 32], one, ORDER, sum(ORDER, one), (-Scalar::ONE).to_bytes(), sum(ORDER, ORDER), [0xff; 32]];
    edges.extend((0..256).map(power));
    edges.extend((0..256).map(|bit| sum(power(bit), [0xff; 32])));
    for _ in 0..4 {
        let signer = OddSigner::new(numbers.scalar(), EIGHT_TORSION[0]);
        let compared = Compared::new(&signer.key, &SIZES).unwrap();
        let r = signer.sign(b"", numbers.scalar(), EIGHT_TORSION[0])[..32].try_into().unwrap();
        for s in &edges {
            assert!(!compared.verdict(b"", &joined(&r, s)));
        }
    }
}

/// With the secret known, any S up to the edges can be made to count: R is computed from S and k, and k from an R that
/// is not the one signed. So the equation holds for no edge but by that R, and both verifiers say so.
#[test]
fn an_r_computed_from_another_challenge_is_refused() {
    let mut numbers = Numbers(5);
    let signer = OddSigner::new(numbers.scalar(), EIGHT_TORSION[0]);
    let compared = Compared::new(&signer.key, &SIZES).unwrap();
    let key = compared.reference.to_edwards();
    for s in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE] {
        let k = challenge(&[7; 32], &signer.key, b"message");
        let r = (curve25519_dalek::constants::ED25519_BASEPOINT_POINT * s - key * k).compress().to_bytes();
        assert!(!compared.verdict(b"message", &joined(&r, s.as_bytes())));
    }
}

#[test]
fn keys_and_r_that_are_not_written_canonically_get_the_same_verdict() {
    let mut numbers = Numbers(6);
    let mut decoded = 0;
    for low in 0xed..=0xff_u8 {
        for sign in [0x7f, 0xff] {
            let mut key = [0xff; 32];
            (key[0], key[31]) = (low, sign);
            let Some(compared) = Compared::new(&key, &SIZES[1..]) else { continue };
            decoded += 1;
            for _ in 0..20 {
                compared.verdict(b"message", &joined(&numbers.bytes(), numbers.scalar().as_bytes()));
                compared.verdict(b"message", &joined(&key, numbers.scalar().as_bytes()));
            }
        }
    }
    assert!(decoded > 10, "only {decoded} such keys decode");
}

#[test]
fn every_bit_of_signature_and_message_counts() {
    let mut numbers = Numbers(7);
    let signer = OddSigner::new(numbers.scalar(), EIGHT_TORSION[0]);
    let compared = Compared::new(&signer.key, &SIZES).unwrap();
    let message: [u8; 40] = numbers.bytes();
    let signature = signer.sign(&message, numbers.scalar(), EIGHT_TORSION[0]);
    assert!(compared.verdict(&message, &signature));
    for bit in 0..512 {
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!compared.verdict(&message, &flipped), "bit {bit} of the signature");
    }
    for bit in 0..320 {
        let mut flipped = message;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!compared.verdict(&flipped, &signature), "bit {bit} of the message");
    }
    for length in 0..40 {
        assert!(!compared.verdict(&message[..length], &signature), "the first {length} bytes of the message");
    }
}

#[test]
fn every_bit_of_the_key_counts() {
    let mut numbers = Numbers(8);
    let signer = OddSigner::new(numbers.scalar(), EIGHT_TORSION[0]);
    let signature = signer.sign(b"message", numbers.scalar(), EIGHT_TORSION[0]);
    let mut decoded = 0;
    for bit in 0..256 {
        let mut flipped = signer.key;
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Some(compared) = Compared::new(&flipped, &[TableSize::Small]) {
            assert!(!compared.verdict(b"message", &signature), "bit {bit} of the key");
            decoded += 1;
        }
    }
    assert!(decoded > 80, "only {decoded} of the flipped keys decode");
    let honest = VerifyingKey::from_bytes(&signer.key).unwrap();
    assert!(honest.verify_strict(b"message", &Signature::from_bytes(&signature)).is_ok());
}
