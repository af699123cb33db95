//! The end-to-end channel: messages sealed and opened, and the key exchange. `cargo bench --bench channel`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pulse_trust::relay::{AppHandshake, Channel, Identity, accept_key_exchange};

fn messages(c: &mut Criterion) {
    let mut group = c.benchmark_group("channel");
    for size in [64_usize, 1024, 4096, 65_536] {
        let message = vec![0x5a; size];
        let (mut app, _) = channel();
        group.throughput(Throughput::Bytes(size.try_into().expect("a small size")));
        let mut sealed = Vec::new();
        group.bench_with_input(BenchmarkId::new("seal", size), &message, |b, message| {
            b.iter(|| {
                sealed.clear();
                app.seal_into(message, &mut sealed).expect("sealed");
            });
        });
        // A message is opened once only: each is sealed for it, outside of what is timed.
        let ((mut app, mut instance), mut opened) = (channel(), Vec::new());
        group.bench_with_input(BenchmarkId::new("open", size), &message, |b, message| {
            b.iter_custom(|runs| {
                let mut time = std::time::Duration::ZERO;
                for _ in 0..runs {
                    let sealed = app.seal(message).expect("sealed");
                    opened.clear();
                    let start = std::time::Instant::now();
                    instance.open_into(&sealed, &mut opened).expect("opened");
                    time += start.elapsed();
                }
                time
            });
        });
    }
    group.finish();
}

fn key_exchange(c: &mut Criterion) {
    let identity = Identity::generate().expect("random bytes");
    c.bench_function("channel/key exchange, both sides", |b| {
        b.iter(|| {
            let app = AppHandshake::start().expect("random bytes");
            let (_, answer) = accept_key_exchange(app.message(), &identity).expect("accepted");
            app.finish(&answer, identity.public_key()).expect("a channel")
        });
    });
}

/// Both ends of a channel, the app's first.
fn channel() -> (Channel, Channel) {
    let identity = Identity::generate().expect("random bytes");
    let app = AppHandshake::start().expect("random bytes");
    let (instance, answer) = accept_key_exchange(app.message(), &identity).expect("accepted");
    (app.finish(&answer, identity.public_key()).expect("a channel"), instance)
}

criterion_group!(benches, messages, key_exchange);
criterion_main!(benches);
