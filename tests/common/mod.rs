//! What the tests share: where the vectors are, and how to read them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test file uses its part of it"
)]

use std::path::{Path, PathBuf};

#[cfg(feature = "storage")]
pub mod saving;
pub mod sealing;

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

/// The text of a secret; empty if there is none.
pub fn exposed(secret: &Option<pulse_trust::Secret>) -> &str {
    secret.as_ref().map_or("", pulse_trust::Secret::expose_secret)
}

/// A text of a case; empty where it has none.
pub fn text<'a>(value: &'a serde_json::Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A time of a case, in Unix seconds.
pub fn time(value: &serde_json::Value, name: &str) -> pulse_trust::UnixTime {
    pulse_trust::UnixTime::from_secs(value[name].as_i64().unwrap_or_else(|| panic!("no time {name}")))
}

/// The keys under which the tokens of a file are verified.
pub fn trust_keys(file: &serde_json::Value) -> pulse_trust::keys::TrustKeys {
    let set = |name: &str| {
        let keys = pulse_trust::keys::TrustKeySet::from_setting(text(file, name));
        keys.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    pulse_trust::keys::TrustKeys::new(set("hosted_public_key"), set("license_public_key"))
}

/// The bytes that hex digits stand for.
pub fn bytes_of_hex(digits: &str) -> Vec<u8> {
    let pair = |start| u8::from_str_radix(&digits[start..start + 2], 16);
    (0..digits.len()).step_by(2).map(pair).collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{digits}: {error}"))
}

/// A copy of a vector directory that the library may write to, with the modes a runtime gives its files.
pub fn copied(from: &Path) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    copy_into(from, directory.path());
    directory
}

/// Sets the permission bits of a file.
pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let set = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    set.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn copy_into(from: &Path, to: &Path) {
    let failed = |error: std::io::Error| -> ! { panic!("{}: {error}", from.display()) };
    set_mode(to, 0o700);
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| failed(error)).flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap_or_else(|error| failed(error));
            copy_into(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap_or_else(|error| failed(error));
            set_mode(&target, 0o600);
        }
    }
}

/// Every regular file below a directory but the lock, by its relative path.
pub fn files_of(directory: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = std::collections::BTreeMap::new();
    collect(directory, "", &mut files);
    files
}

fn collect(directory: &Path, prefix: &str, files: &mut std::collections::BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{error}")).flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if name == ".pulse-trust.lock" {
            continue;
        }
        let kind = entry.file_type().unwrap_or_else(|error| panic!("{error}"));
        if kind.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else if kind.is_file() {
            files.insert(name, std::fs::read(entry.path()).unwrap_or_else(|error| panic!("{error}")));
        }
    }
}
