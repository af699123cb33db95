//! What the preparation of a key costs: its table of each size, built and checked. `cargo bench --bench tables`

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use pulse_benches::fixtures::Fixture;
use pulse_trust::keys::{PreparedKey, TableSize};

fn tables(c: &mut Criterion) {
    let fixture = Fixture::new();
    let key = fixture.signer.public_key();
    let mut group = c.benchmark_group("tables");
    for size in [TableSize::Small, TableSize::Medium, TableSize::Large, TableSize::Huge] {
        // The base point's table is built once in a process: not here.
        PreparedKey::new(key, size).expect("tables");
        group.bench_function(BenchmarkId::from_parameter(format!("{size:?}")), |b| {
            b.iter(|| PreparedKey::new(key, size).expect("tables"));
        });
    }
    group.finish();
}

criterion_group!(benches, tables);
criterion_main!(benches);
