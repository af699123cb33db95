//! The signature alone, over the bytes that a lease signs.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use pulse_trust::keys::{PreparedKey, TableSize};

use crate::fixtures::{Fixture, Turns};
use crate::rounds::Contender;

/// A lease's signed bytes and signature.
struct Signed {
    message: Vec<u8>,
    signature: [u8; 64],
}

impl Signed {
    /// Those of as many different leases.
    fn of(fixture: &Fixture, count: usize) -> Turns<Self> {
        let leases = fixture.leases(count).into_iter().map(|lease| {
            let message = lease.rsplit_once('.').expect("a token").0.as_bytes().to_vec();
            Self { signature: fixture.signer.sign(&message), message }
        });
        Turns::of(leases.collect())
    }
}

/// A prepared key of this library, with tables of this size.
pub fn prepared(fixture: &Fixture, size: TableSize) -> Contender<'static> {
    let mut signed = Signed::of(fixture, 64);
    let key = PreparedKey::new(fixture.signer.public_key(), size).expect("tables");
    Contender::new(format!("pulse-trust, {size:?} tables"), move || {
        let Signed { message, signature } = signed.turn();
        key.verify(message, signature)
    })
}

/// A prepared key of this library, with so many signatures together.
pub fn prepared_bulk(fixture: &Fixture, size: TableSize, count: usize) -> Contender<'static> {
    let signed = Signed::of(fixture, count);
    let key = PreparedKey::new(fixture.signer.public_key(), size).expect("tables");
    Contender::new(format!("pulse-trust, {size:?} tables, bulk of {count}"), move || {
        let batch: Vec<_> = signed.all().iter().map(|signed| (signed.message.as_slice(), &signed.signature)).collect();
        key.verify_bulk(&batch).into_iter().all(|verdict| verdict)
    })
    .of(count)
}

/// ed25519-dalek's own two verifiers.
pub fn dalek(fixture: &Fixture, strict: bool) -> Contender<'static> {
    let mut signed = Signed::of(fixture, 64);
    let key = VerifyingKey::from_bytes(fixture.signer.public_key().as_bytes()).expect("a key");
    let name = if strict { "ed25519-dalek 3, verify_strict" } else { "ed25519-dalek 3, verify" };
    Contender::new(name, move || {
        let Signed { message, signature } = signed.turn();
        let signature = Signature::from_bytes(signature);
        let verdict = if strict { key.verify_strict(message, &signature) } else { key.verify(message, &signature) };
        verdict.is_ok()
    })
}

/// ring.
pub fn ring(fixture: &Fixture) -> Contender<'static> {
    let mut signed = Signed::of(fixture, 64);
    let key =
        ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, *fixture.signer.public_key().as_bytes());
    Contender::new("ring 0.17", move || {
        let Signed { message, signature } = signed.turn();
        key.verify(message, signature).is_ok()
    })
}

/// aws-lc-rs, its key parsed once.
pub fn aws_lc(fixture: &Fixture) -> Contender<'static> {
    let mut signed = Signed::of(fixture, 64);
    let algorithm = &aws_lc_rs::signature::ED25519;
    let key = aws_lc_rs::signature::ParsedPublicKey::new(algorithm, *fixture.signer.public_key().as_bytes());
    let key = key.expect("a key");
    Contender::new("aws-lc-rs 1", move || {
        let Signed { message, signature } = signed.turn();
        key.verify_sig(message, signature).is_ok()
    })
}

/// graviola, its key decoded once: assembly that was proved correct, chosen for the processor at run time.
pub fn graviola(fixture: &Fixture) -> Contender<'static> {
    let mut signed = Signed::of(fixture, 64);
    let key = graviola::signing::eddsa::Ed25519VerifyingKey::from_bytes(fixture.signer.public_key().as_bytes());
    let key = key.expect("a key");
    Contender::new("graviola 0.4", move || {
        let Signed { message, signature } = signed.turn();
        key.verify(signature, message).is_ok()
    })
}

/// solana-ed25519: `verify_dalek`, which accepts what `verify_strict` does, or `verify`, which accepts what ZIP 215 does.
pub fn solana(fixture: &Fixture, strict: bool) -> Contender<'static> {
    let mut signed = Signed::of(fixture, 64);
    let key = solana_ed25519::ed_sigs::VerificationKey::try_from(*fixture.signer.public_key().as_bytes());
    let key = key.expect("a key");
    let name = if strict { "solana-ed25519 0.2, verify_dalek" } else { "solana-ed25519 0.2, verify" };
    Contender::new(name, move || {
        let Signed { message, signature } = signed.turn();
        let signature = solana_ed25519::ed_sigs::Signature::from_bytes(signature);
        let verdict = if strict { key.verify_dalek(&signature, message) } else { key.verify(&signature, message) };
        verdict.is_ok()
    })
}

/// ed25519-simd, with so many signatures together and its key kept: only where the whole program is compiled for AVX-512
/// IFMA, as it asks for.
#[cfg(all(target_arch = "x86_64", target_feature = "avx512ifma"))]
pub fn simd_bulk(fixture: &Fixture, count: usize) -> Contender<'static> {
    use ed25519_simd::{DalekVerifier, HotKeyCache, VerifyInput};
    let signed = Signed::of(fixture, count);
    let public_key = *fixture.signer.public_key().as_bytes();
    let mut verifier = DalekVerifier::with_cache(HotKeyCache::with_capacity(4));
    Contender::new(format!("ed25519-simd 0.1, bulk of {count}"), move || {
        let batch: Vec<_> = signed
            .all()
            .iter()
            .map(|one| VerifyInput { public_key, signature: one.signature, message: &one.message })
            .collect();
        let mut verdicts = vec![false; count];
        verifier.verify_batch(&batch, &mut verdicts);
        verdicts.into_iter().all(|verdict| verdict)
    })
    .of(count)
}
