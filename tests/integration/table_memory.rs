//! Memory that cannot be had for precomputed tables is an error, and no end of the process.

use std::time::Duration;

use pulse_trust::entitlement::{HostBinding, InstanceHost, LeaseChecks, LeaseClaims, VerifiedToken};
use pulse_trust::keys::{PreparedKey, PublicKey, SigningKey, TableSize, TrustKeySet, TrustKeys};
use pulse_trust::{Error, UnixTime};
use rlimit::Resource;

#[test]
fn a_table_without_memory_is_an_error_and_a_token_is_verified_without_it() {
    // The limit of memory is the whole process's: a child tries.
    const CHILD: &str = "PULSE_TRUST_TEST_MEMORY";
    if std::env::var_os(CHILD).is_some() {
        return verify_without_memory();
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "table_memory::a_table_without_memory_is_an_error_and_a_token_is_verified_without_it"])
        .args(["--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

fn verify_without_memory() {
    let now = UnixTime::from_secs(1_800_000_000);
    let key = SigningKey::generate().unwrap();
    let host = InstanceHost::normalize("t-1.example.test").unwrap();
    let token = LeaseClaims::new(&host, now.saturating_add(Duration::from_secs(60))).sign(&key).unwrap();
    let trusted = TrustKeySet::new([key.public_key().clone()]);
    // What a failed test would print needs some.
    let reserve = vec![1_u8; 64 * 1024];
    let (_, hard) = rlimit::getrlimit(Resource::AS).unwrap();
    rlimit::setrlimit(Resource::AS, 4096, hard).unwrap();
    // The allocator still has what it reserved before.
    let (huge, error) = tables_until_none(key.public_key(), TableSize::Huge);
    let (large, _) = tables_until_none(key.public_key(), TableSize::Large);
    rlimit::setrlimit(Resource::AS, hard, hard).unwrap();
    assert_error!(error, KeyTableMemory { bytes: TableSize::Huge.table_bytes() });
    assert_eq!(error.wire_code().as_str(), "INTERNAL_ERROR");
    rlimit::setrlimit(Resource::AS, 4096, hard).unwrap();
    assert!(matches!(trusted.with_tables(TableSize::Huge), Err(Error::KeyTableMemory { .. })));
    drop(reserve);
    // Tables are due meanwhile, and not to be had.
    let keys = TrustKeys::for_leases(trusted);
    let checks = LeaseChecks::new(HostBinding::AnyHost);
    for _ in 0..200 {
        VerifiedToken::verify(token.expose_secret(), &keys, &checks, now).unwrap();
    }
    rlimit::setrlimit(Resource::AS, hard, hard).unwrap();
    drop((huge, large));
}

/// As many as there is memory for, and why there are no more.
fn tables_until_none(key: &PublicKey, size: TableSize) -> (Vec<PreparedKey>, Error) {
    let mut tables = Vec::with_capacity(1024);
    loop {
        match PreparedKey::new(key, size) {
            Ok(prepared) => tables.push(prepared),
            Err(error) => return (tables, error),
        }
    }
}
