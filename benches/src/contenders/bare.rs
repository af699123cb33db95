//! The signature alone, over the bytes that a lease signs.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use pulse_trust::keys::{PreparedKey, TableSize};

use crate::fixtures::Fixture;
use crate::rounds::Contender;

/// A lease's signed bytes and signature.
struct Signed {
    message: Vec<u8>,
    signature: [u8; 64],
}

impl Signed {
    fn of(fixture: &Fixture) -> Self {
        let message = fixture.lease.rsplit_once('.').expect("a token").0.as_bytes().to_vec();
        Self { signature: fixture.signer.sign(&message), message }
    }
}

/// A prepared key of this library, with tables of this size.
pub fn prepared(fixture: &Fixture, size: TableSize) -> Contender<'static> {
    let signed = Signed::of(fixture);
    let key = PreparedKey::new(fixture.signer.public_key(), size).expect("tables");
    Contender::new(format!("pulse-trust, {size:?} tables"), move || key.verify(&signed.message, &signed.signature))
}

/// A prepared key of this library, with so many signatures together.
pub fn prepared_bulk(fixture: &Fixture, size: TableSize, count: usize) -> Contender<'static> {
    let signed = Signed::of(fixture);
    let key = PreparedKey::new(fixture.signer.public_key(), size).expect("tables");
    Contender::new(format!("pulse-trust, {size:?} tables, bulk of {count}"), move || {
        let batch = vec![(signed.message.as_slice(), &signed.signature); count];
        key.verify_bulk(&batch).into_iter().all(|verdict| verdict)
    })
    .of(count)
}

/// ed25519-dalek's own two verifiers.
pub fn dalek(fixture: &Fixture, strict: bool) -> Contender<'static> {
    let signed = Signed::of(fixture);
    let key = VerifyingKey::from_bytes(fixture.signer.public_key().as_bytes()).expect("a key");
    let signature = Signature::from_bytes(&signed.signature);
    let name = if strict { "ed25519-dalek 3, verify_strict" } else { "ed25519-dalek 3, verify" };
    Contender::new(name, move || {
        let verdict = if strict {
            key.verify_strict(&signed.message, &signature)
        } else {
            key.verify(&signed.message, &signature)
        };
        verdict.is_ok()
    })
}

/// ring.
pub fn ring(fixture: &Fixture) -> Contender<'static> {
    let signed = Signed::of(fixture);
    let key =
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, *fixture.signer.public_key().as_bytes());
    Contender::new("ring 0.17", move || key.verify(&signed.message, &signed.signature).is_ok())
}

/// aws-lc-rs, its key parsed once.
pub fn aws_lc(fixture: &Fixture) -> Contender<'static> {
    let signed = Signed::of(fixture);
    let algorithm = &aws_lc_rs::signature::ED25519;
    let key = aws_lc_rs::signature::ParsedPublicKey::new(algorithm, *fixture.signer.public_key().as_bytes());
    let key = key.expect("a key");
    Contender::new("aws-lc-rs 1", move || key.verify_sig(&signed.message, &signed.signature).is_ok())
}
