//! What it costs to refuse a token, by class: none is dearer than to accept one. `cargo bench --bench refusals`

use criterion::{Criterion, criterion_group, criterion_main};
use pulse_benches::fixtures::Fixture;
use pulse_trust::entitlement::{LeaseClaims, VerifiedLease};
use pulse_trust::keys::{SigningKey, TableSize, TrustKeySet, TrustKeys};

fn refusals(c: &mut Criterion) {
    let fixture = Fixture::new();
    let (keys, checks, now) = (fixture.keys(TableSize::Large), fixture.checks(), fixture.now);
    let other = SigningKey::generate().expect("random bytes");
    let other = TrustKeySet::new([other.public_key().clone()]).with_tables(TableSize::Large).expect("tables");
    let other = TrustKeys::for_leases(other);
    let mut expired = LeaseClaims::from_json(&fixture.claims.display_json()).expect("its own JSON");
    expired.exp = now.saturating_sub(std::time::Duration::from_secs(1));
    let expired = expired.sign(&fixture.signer).expect("a lease");
    let lease = fixture.lease.as_str();
    let (header, rest) = lease.split_once('.').expect("a token");
    let deep = format!("{header}.{}", "W1tb".repeat(2000));
    let classes: [(&str, String, &TrustKeys); 8] = [
        ("accepted", lease.to_owned(), &keys),
        ("oversized", "a".repeat(64 * 1024), &keys),
        ("malformed: two segments", lease.replacen('.', "", 1), &keys),
        ("malformed: header", format!("e30.{rest}"), &keys),
        ("malformed: payload of 8000 brackets", format!("{deep}.{}", "A".repeat(86)), &keys),
        ("wrong signature", fixture.with_wrong_signature(), &keys),
        ("wrong key", lease.to_owned(), &other),
        ("expired", expired.expose_secret().to_owned(), &keys),
    ];
    let mut group = c.benchmark_group("refusals");
    for (class, token, keys) in classes {
        let is_accepted = VerifiedLease::verify(&token, keys, &checks, now).is_ok();
        assert_eq!(is_accepted, class == "accepted", "{class}");
        group.bench_function(class, |b| b.iter(|| VerifiedLease::verify(&token, keys, &checks, now).is_ok()));
    }
    group.finish();
}

criterion_group!(benches, refusals);
criterion_main!(benches);
