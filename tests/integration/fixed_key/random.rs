//! Random signatures, valid and mutated: 20,000 of them, or as many as `PULSE_TRUST_RANDOM` says.

use curve25519_dalek::constants::EIGHT_TORSION;
use ed25519_dalek::{Signer, SigningKey};
use pulse_trust::keys::TableSize;

use super::reference::{Compared, Numbers, OddSigner};

const BATCH: usize = 100;

#[test]
fn random_signatures_get_the_same_verdict() {
    let count: usize = std::env::var("PULSE_TRUST_RANDOM").map_or(20_000, |count| count.parse().unwrap());
    let mut numbers = Numbers(u64::try_from(count).unwrap());
    let sizes = [TableSize::Large, TableSize::Medium, TableSize::Huge];
    let signers: Vec<SigningKey> = (0..8).map(|_| SigningKey::from_bytes(&numbers.bytes())).collect();
    let compared: Vec<Compared> = signers
        .iter()
        .enumerate()
        .map(|(index, signer)| Compared::new(signer.verifying_key().as_bytes(), &sizes[index % 3..=index % 3]).unwrap())
        .collect();
    let (mut tried, mut accepted) = (0, 0);
    while tried < count {
        let index = numbers.below(signers.len());
        let batch: Vec<(Vec<u8>, [u8; 64])> = (0..BATCH).map(|_| signed(&signers, index, &mut numbers)).collect();
        let mut accepted_alone = 0;
        for (message, signature) in &batch {
            accepted_alone += usize::from(compared[index].verdict(message, signature));
        }
        let all: Vec<(&[u8], &[u8; 64])> =
            batch.iter().map(|(message, signature)| (message.as_slice(), signature)).collect();
        assert_eq!(compared[index].bulk_verdicts(&all), accepted_alone);
        accepted += accepted_alone;
        tried += BATCH;
    }
    println!("{tried} signatures, {accepted} accepted, 0 differences");
    let share = accepted * 100 / tried;
    assert!((45..65).contains(&share), "{accepted} of {tried} accepted");
}

/// A message and a signature by the signer of this index: about half of them valid, the others wrong in one of many ways.
fn signed(signers: &[SigningKey], index: usize, numbers: &mut Numbers) -> (Vec<u8>, [u8; 64]) {
    let length = numbers.below(200);
    let mut message: Vec<u8> = (0..length).map(|_| numbers.next().to_le_bytes()[0]).collect();
    let mut signature = signers[index].sign(&message).to_bytes();
    match numbers.below(16) {
        0 => signature[numbers.below(64)] ^= 1 << numbers.below(8),
        1 => signature[numbers.below(32)] ^= 1 << numbers.below(8),
        2 => message.push(0),
        3 if length > 0 => message[numbers.below(length)] ^= 1 << numbers.below(8),
        4 => signature = signers[(index + 1) % signers.len()].sign(&message).to_bytes(),
        5 => signature = numbers.bytes(),
        6 => signature[..32].copy_from_slice(&numbers.bytes::<32>()),
        7 => {
            // An R with a component of small order, by the same key.
            let scalar = signers[index].to_scalar();
            let odd = OddSigner::new(scalar, EIGHT_TORSION[0]);
            signature = odd.sign(&message, numbers.scalar(), EIGHT_TORSION[numbers.below(8)]);
        }
        _ => {}
    }
    (message, signature)
}
