//! A pairing code built, read and drawn. `cargo bench --bench pairing`

use criterion::{Criterion, criterion_group, criterion_main};
use pulse_benches::fixtures::relay_config;
use pulse_trust::pairing::{Onboarding, PairingCode, qr_svg};

fn pairing(c: &mut Criterion) {
    let config = relay_config();
    let onboarding = Onboarding::new(&config, "relay_2e1b0929e6fd7c52", "not-a-secret-but-of-its-length-0123456789");
    let payload = onboarding.build().expect("a payload");
    let (deep_link, compact) =
        (payload.secret_deep_link().to_owned(), payload.secret_compact_code().expose_secret().to_owned());
    let mut group = c.benchmark_group("pairing");
    group.bench_function("build", |b| b.iter(|| onboarding.build().expect("a payload")));
    group.bench_function("parse a deep link", |b| b.iter(|| PairingCode::parse(&deep_link).expect("a code")));
    group.bench_function("parse a compact code", |b| b.iter(|| PairingCode::parse(&compact).expect("a code")));
    group.bench_function("QR of a compact code, SVG", |b| b.iter(|| qr_svg(&compact).expect("a QR code")));
    group.finish();
}

criterion_group!(benches, pairing);
criterion_main!(benches);
