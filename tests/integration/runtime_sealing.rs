//! Sealing of what else a runtime keeps (formats.md#encrypted-files).

use std::fs;

use crate::common::sealing::{master_key, seal, unseal};
use crate::common::{copied, files_of};
use hkdf::Hkdf;
use pulse_trust::Error;
use pulse_trust::storage::DataDir;
use sha2::Sha256;

/// The form is that of every `*.enc` file, in both directions.
#[test]
fn what_is_sealed_is_as_the_deployed_runtime_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let sealed = data_dir.seal(b"[1]").unwrap();
    let key = master_key(directory.path());
    assert_eq!(unseal(key, &sealed), "[1]");
    assert_ne!(data_dir.seal(b"[1]").unwrap(), sealed, "a nonce is used once");
    assert_eq!(data_dir.unseal("nodes.enc", &seal(key, b"[2]")).unwrap().expose_secret(), b"[2]");
    for damaged in [&sealed[1..], &sealed[..27], b"", &[&sealed[..], b"x"].concat()] {
        let error = data_dir.unseal("nodes.enc", damaged).unwrap_err();
        assert!(matches!(&error, Error::UnsealFailed { what, .. } if what.ends_with("/nodes.enc")), "{error}");
    }
    assert!(data_dir.seal(b"").is_ok_and(|empty| data_dir.unseal("x", &empty).unwrap().expose_secret().is_empty()));
}

#[test]
fn no_key_is_made_over_a_lost_one() {
    let directory = copied(&crate::common::vectors().join("relay_enc/whole"));
    fs::remove_file(directory.path().join(".encryption.key")).unwrap();
    let before = files_of(directory.path());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    assert!(matches!(data_dir.seal(b"x"), Err(Error::KeyFileLost { .. })));
    assert!(matches!(data_dir.derive_key("audit"), Err(Error::KeyFileLost { .. })));
    let error = data_dir.unseal("nodes.enc", &[0; 40]).unwrap_err();
    assert!(matches!(&error, Error::KeyFileLost { sealed, .. } if sealed.ends_with("/nodes.enc")), "{error}");
    drop(data_dir);
    assert!(files_of(directory.path()) == before);
}

#[test]
fn a_derived_key_is_hkdf_of_the_master_key() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let derived = data_dir.derive_key("audit-signing").unwrap();
    let mut expected = [0; 32];
    Hkdf::<Sha256>::new(None, &master_key(directory.path())).expand(b"audit-signing", &mut expected).unwrap();
    assert_eq!(derived.expose_secret(), expected);
    assert_ne!(data_dir.derive_key("another").unwrap().expose_secret(), expected);
}
