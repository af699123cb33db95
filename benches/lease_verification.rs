//! A full check of a hosted lease, from text to verified claims, beside the peers: `cargo bench --bench lease_verification`.
//! For the ratios see `comparison`, which interleaves the contenders.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pulse_benches::contenders::{bare, jsonwebtoken, jwt_simple, ours, pasetors};
use pulse_benches::fixtures::{Fixture, HOST};
use pulse_benches::rounds::Contender;
use pulse_trust::entitlement::{Capability, VerifiedLease};
use pulse_trust::keys::{PreparedKey, TableSize};

fn lease(c: &mut Criterion) {
    let fixture = Fixture::new();
    let contenders = [
        ours::single(&fixture, TableSize::Huge),
        ours::single(&fixture, TableSize::Large),
        ours::single(&fixture, TableSize::None),
        ours::bulk(&fixture, TableSize::Large, 8),
        ours::bulk(&fixture, TableSize::Large, 64),
        ours::bulk(&fixture, TableSize::Large, 512),
        jsonwebtoken::contender(&fixture, true),
        jsonwebtoken::contender(&fixture, false),
        jwt_simple::contender(&fixture),
        pasetors::contender(&fixture),
    ];
    run(c, "lease", contenders);
}

fn signature(c: &mut Criterion) {
    let fixture = Fixture::new();
    let contenders = [
        bare::prepared(&fixture, TableSize::Large),
        bare::prepared_bulk(&fixture, TableSize::Large, 64),
        bare::dalek(&fixture, true),
        bare::dalek(&fixture, false),
        bare::ring(&fixture),
        bare::aws_lc(&fixture),
    ];
    run(c, "signature", contenders);
}

fn run<const N: usize>(c: &mut Criterion, group: &str, contenders: [Contender<'_>; N]) {
    let mut group = c.benchmark_group(group);
    for mut contender in contenders {
        group.throughput(Throughput::Elements(contender.items.try_into().expect("a small number")));
        group.bench_function(&contender.name, |b| b.iter(|| assert!((contender.run)())));
    }
    group.finish();
}

/// A verified lease is kept: the runtime asks it again on every request.
fn asked_again(c: &mut Criterion) {
    let fixture = Fixture::new();
    let keys = fixture.keys(TableSize::None);
    let lease = VerifiedLease::verify(&fixture.lease, &keys, &fixture.checks(), fixture.now).expect("a lease");
    c.bench_function("lease/asked again: time, host, capability", |b| {
        b.iter(|| {
            lease.check_host(HOST).expect("its host");
            lease.check_grants(&Capability::RELAY, fixture.now).expect("granted");
        });
    });
}

/// What a key's table costs: the base point's, as large, is built once for all keys.
fn prepare(c: &mut Criterion) {
    let fixture = Fixture::new();
    let mut group = c.benchmark_group("prepare");
    for size in [TableSize::Small, TableSize::Medium, TableSize::Large, TableSize::Huge] {
        group.bench_function(format!("{size:?}"), |b| {
            b.iter(|| PreparedKey::new(fixture.signer.public_key(), size).expect("tables"));
        });
    }
    group.finish();
}

criterion_group!(benches, lease, signature, asked_again, prepare);
criterion_main!(benches);
