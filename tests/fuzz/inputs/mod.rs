//! What each fuzz target does with its input, and what must hold of it: the targets run it on what the fuzzer thinks of,
//! `cargo test` on every file of the corpus.
#![allow(dead_code, clippy::missing_panics_doc, reason = "each target uses its own")]

#[cfg(feature = "capi")]
#[allow(unsafe_code, reason = "the C functions are called as C calls them")]
pub(crate) mod c_calls;
pub(crate) mod claims;
pub(crate) mod deep_link;
pub(crate) mod files;
pub(crate) mod frames;
pub(crate) mod key_file;
pub(crate) mod pairing_code;
pub(crate) mod relay_enc;
pub(crate) mod sessions;
pub(crate) mod token;

#[path = "../../common/sealing.rs"]
#[allow(unreachable_pub, clippy::duplicate_mod, reason = "the other tests share it")]
mod sealing;

/// A data directory with these files, as a runtime leaves them.
fn data_dir(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("its mode");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    }
    folder
}
