//! What the tests share: where the vectors are, and how to read them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test file uses its part of it"
)]

use std::path::{Path, PathBuf};

/// The folder of vectors: `PULSE_TRUST_VECTORS`, or the deployed ones.
pub fn vectors() -> PathBuf {
    std::env::var_os("PULSE_TRUST_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/deployed"), PathBuf::from)
}

/// One vector file as JSON.
pub fn vector_file(name: &str) -> serde_json::Value {
    let path = vectors().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cases of a list in a vector file; an empty list is a failure, as it would test nothing.
pub fn cases<'a>(file: &'a serde_json::Value, list: &str) -> &'a [serde_json::Value] {
    let cases = file[list].as_array().unwrap_or_else(|| panic!("no list {list}"));
    assert!(!cases.is_empty(), "{list} is empty");
    cases
}

/// The bytes that hex digits stand for.
pub fn bytes_of_hex(digits: &str) -> Vec<u8> {
    let pair = |start| u8::from_str_radix(&digits[start..start + 2], 16);
    (0..digits.len()).step_by(2).map(pair).collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{digits}: {error}"))
}
