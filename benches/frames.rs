//! Frames encoded and decoded. `cargo bench --bench frames`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pulse_trust::relay::{ControlPayload, Frame, FrameType, Register};

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame");
    for size in [0_usize, 1024, 65_000] {
        let payload = vec![0x5a; size];
        let frame = Frame::new(FrameType::Data, 7, &payload);
        let bytes = frame.encode().expect("encoded");
        group.throughput(Throughput::Bytes(bytes.len().try_into().expect("a small size")));
        group.bench_function(BenchmarkId::new("encode", size), |b| b.iter(|| frame.encode().expect("encoded")));
        group.bench_with_input(BenchmarkId::new("decode", size), &bytes, |b, bytes| {
            b.iter(|| Frame::decode(bytes).expect("decoded").payload.len());
        });
    }
    group.finish();
}

fn register(c: &mut Criterion) {
    let register = {
        let mut register = Register::new("a".repeat(834));
        register.instance_hint = Some("b".repeat(36).into());
        register.client_version = Some("5.0.0".to_owned());
        register
    };
    let bytes = register.to_frame(0).expect("encoded");
    c.bench_function("frame/REGISTER decoded and read", |b| {
        b.iter(|| Register::from_frame(&Frame::decode(&bytes).expect("decoded")).expect("read"));
    });
}

criterion_group!(benches, frames, register);
criterion_main!(benches);
