//! `activation.enc` and `license.enc` against the deployed ones (formats.md#encrypted-files).

use std::fs;
use std::path::Path;

use crate::common::files_of;
use crate::common::sealing::{license_key, seal_text, unseal_text};
use pulse_trust::storage::{DataDir, LicenseFile, Revision};
use pulse_trust::{Error, UnixTime};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[test]
fn white_space_around_key_file_and_token_is_trimmed() {
    let directory = with_license_file("license.enc", r#"{"license_key":" a.b.c\n","grace_period_end":5}"#);
    fs::write(directory.path().join(".license-key"), format!("\n{KEY} \n")).unwrap();
    let sealed = fs::read_to_string(directory.path().join("license.enc")).unwrap();
    fs::write(directory.path().join("license.enc"), format!(" {sealed}\r\n")).unwrap();
    let license = DataDir::new(directory.path()).lock().unwrap().license().unwrap().value.unwrap();
    assert_eq!(
        (license.license_key.expose_secret(), license.grace_period_end),
        ("a.b.c", Some(UnixTime::from_secs(5)))
    );
}

#[test]
fn null_counts_as_absent() {
    let directory = with_license_file("activation.enc", r#"{"grant_jwt":null,"paid_access_suspended":null}"#);
    let activation = DataDir::new(directory.path()).lock().unwrap().activation().unwrap().value.unwrap();
    assert!(activation.grant_jwt.is_empty() && !activation.paid_access_suspended);
}

#[test]
fn what_is_no_activation_is_refused_and_kept() {
    for plain in [
        "",
        "null",
        "[\"a.b.c\",false]",
        "\"a.b.c\"",
        "{\"grant_jwt\":1}",
        "{\"paid_access_suspended\":\"true\"}",
        "{\"paid_access_suspended\":true,\"paid_access_suspended\":false}",
        "{\"grant_jwt\":\"a\"} {}",
    ] {
        let directory = with_license_file("activation.enc", plain);
        let before = files_of(directory.path());
        let error = DataDir::new(directory.path()).lock().unwrap().activation().unwrap_err();
        assert!(matches!(error, Error::FileMalformed { .. }), "{plain}: {error:?}");
        assert!(files_of(directory.path()) == before);
    }
}

#[test]
fn damage_and_keys_are_told_apart() {
    let directory = with_license_file("activation.enc", "{}");
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let path = |name: &str| directory.path().join(name);
    let whole = fs::read_to_string(path("activation.enc")).unwrap();

    fs::write(path(".license-key"), KEY.replace('0', "1")).unwrap();
    assert!(matches!(data_dir.activation(), Err(Error::UnsealFailed { .. })));
    fs::write(path(".license-key"), " \n").unwrap();
    assert!(matches!(data_dir.activation(), Err(Error::KeyFileUnreadable { .. })));
    fs::remove_file(path(".license-key")).unwrap();
    let error = data_dir.activation().unwrap_err();
    let Error::KeyFileLost { path: key, sealed, .. } = error else { panic!("{error:?}") };
    assert_eq!((Path::new(&key), Path::new(&sealed)), (&*path(".license-key"), &*path("activation.enc")));
    fs::write(path(".license-key"), KEY).unwrap();

    for (damaged, is_sealed) in [("", true), ("AAAA", true), ("not base64!", false), (&whole[1..], false)] {
        fs::write(path("activation.enc"), damaged).unwrap();
        let error = data_dir.activation().unwrap_err();
        assert_eq!(matches!(error, Error::UnsealFailed { .. }), is_sealed, "{damaged:?}: {error:?}");
        assert_eq!(matches!(error, Error::FileMalformed { .. }), !is_sealed, "{damaged:?}: {error:?}");
        assert_eq!(fs::read_to_string(path("activation.enc")).unwrap(), damaged);
    }
}

#[test]
fn debug_shows_no_token() {
    let activation = with_license_file("activation.enc", r#"{"grant_jwt":"hunter2"}"#);
    let activation = DataDir::new(activation.path()).lock().unwrap().activation().unwrap();
    let license = with_license_file("license.enc", r#"{"license_key":"hunter2"}"#);
    let license = DataDir::new(license.path()).lock().unwrap().license().unwrap();
    let shown = format!("{activation:?} {license:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

fn with_license_file(name: &str, plain: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(".license-key"), KEY).unwrap();
    fs::write(directory.path().join(name), seal_text(license_key(KEY), plain)).unwrap();
    directory
}

const ACTIVATION: &str =
    r#"{"installation_id":"i-1","grant_jwt":"a.b.c","paid_access_suspended":true,"new":{"x":[1]}}"#;

/// What the runtime keeps beside the members that count here survives, as its JSON is read and written as a whole.
#[test]
fn a_file_is_saved_as_it_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let path = |name: &str| directory.path().join(name);
    let saved = data_dir.save_license_file(LicenseFile::Activation, ACTIVATION, &Revision::ABSENT).unwrap();
    // As the deployed runtime reads it: 64 hex digits as text, base64 of what is sealed.
    let key = fs::read_to_string(path(".license-key")).unwrap();
    assert!(key.len() == 64 && key.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{key}");
    let sealed = fs::read_to_string(path("activation.enc")).unwrap();
    assert_eq!(unseal_text(license_key(&key), &sealed), ACTIVATION);

    let loaded = data_dir.license_file(LicenseFile::Activation).unwrap();
    assert_eq!((loaded.value.unwrap().expose_secret(), &loaded.revision), (ACTIVATION, &saved.revision));
    assert!(data_dir.activation().unwrap().value.unwrap().paid_access_suspended);
    assert!(data_dir.license_file(LicenseFile::License).unwrap().value.is_none());

    let license = format!(r#"{{"license_key":"d.e.{}"}}"#, "f".repeat(8000));
    data_dir.save_license_file(LicenseFile::License, &license, &Revision::ABSENT).unwrap();
    assert_eq!(data_dir.license_file(LicenseFile::License).unwrap().value.unwrap().expose_secret(), license);
    assert_eq!(fs::read_to_string(path(".license-key")).unwrap(), key, "one key for both");
    let late = data_dir.save_license_file(LicenseFile::Activation, "{}", &Revision::ABSENT);
    assert!(matches!(late, Err(Error::RevisionMismatch { .. })), "{late:?}");
    data_dir.save_license_file(LicenseFile::Activation, "{}", &saved.revision).unwrap();
    for name in [".license-key", "activation.enc", "license.enc"] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_not_replaced_and_no_new_key_is_made_over_a_lost_one() {
    for (file, name) in [(LicenseFile::Activation, "activation.enc"), (LicenseFile::License, "license.enc")] {
        let directory = with_license_file(name, "{}");
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let save = |revision: &Revision| data_dir.save_license_file(file, "{}", revision);
        let seen = data_dir.license_file(file).unwrap().revision;
        for malformed in ["", "[]", "null", r#"{"grant_jwt":1,"license_key":1}"#] {
            let refused = data_dir.save_license_file(file, malformed, &seen);
            assert!(matches!(refused, Err(Error::FileMalformed { .. })), "{malformed}: {refused:?}");
        }
        fs::rename(directory.path().join(name), directory.path().join(format!("{name}.bak"))).unwrap();
        fs::remove_file(directory.path().join(".license-key")).unwrap();
        let before = files_of(directory.path());
        let Err(Error::KeyFileLost { sealed, .. }) = save(&Revision::ABSENT) else { panic!("a key was made") };
        assert!(sealed.ends_with(".enc.bak"), "{sealed}");
        fs::rename(directory.path().join(format!("{name}.bak")), directory.path().join(name)).unwrap();
        assert!(matches!(save(&seen), Err(Error::KeyFileLost { .. })));
        fs::rename(directory.path().join(name), directory.path().join(format!("{name}.bak"))).unwrap();
        assert!(files_of(directory.path()) == before);
    }
}

#[test]
fn what_is_no_key_file_is_said_to_be_unreadable() {
    let directory = with_license_file("activation.enc", "{}");
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let key = directory.path().join(".license-key");
    let check = || {
        let error = data_dir.activation().unwrap_err();
        assert!(matches!(&error, Error::KeyFileUnreadable { path, .. } if Path::new(path) == key), "{error:?}");
    };
    fs::write(&key, "0".repeat(1025)).unwrap();
    check();
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    check();
}
