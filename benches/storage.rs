//! Loading and saving relay.enc, the file system in its cache. `cargo bench --bench storage`

use criterion::{Criterion, criterion_group, criterion_main};
use pulse_benches::fixtures::relay_config;
use pulse_trust::storage::{DataDir, IdentityChange, LockedDataDir, Revision};

fn storage(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = DataDir::create(folder.path().join("data")).expect("a data directory");
    let config = relay_config();
    let save = |locked: &LockedDataDir, revision: &Revision| {
        locked.save_relay_config(&config, revision, IdentityChange::Keep).map(|saved| saved.revision)
    };
    let mut revision = directory.lock().and_then(|locked| save(&locked, &Revision::ABSENT)).expect("a saved config");
    let mut group = c.benchmark_group("relay.enc");
    group.bench_function("load", |b| {
        b.iter(|| directory.lock().and_then(|locked| locked.relay_config()).expect("a config"));
    });
    let locked = directory.lock().expect("the lock");
    group.bench_function("load under a lock held", |b| b.iter(|| locked.relay_config().expect("a config")));
    // Synced to the disk twice, the file and its directory: the disk is what is measured.
    group.sample_size(20);
    group.bench_function("save", |b| b.iter(|| revision = save(&locked, &revision).expect("saved")));
    group.finish();
}

criterion_group!(benches, storage);
criterion_main!(benches);
