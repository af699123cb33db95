//! `relay.enc` against the deployed ones (formats.md#encrypted-files).

use std::fs;
use std::path::Path;

use crate::common::saving::Saving;
use crate::common::sealing::{master_key, seal, unseal};
use crate::common::{copied, files_of, vectors};
use pulse_trust::Error;
use pulse_trust::relay::{Identity, RelayConfig};
use pulse_trust::storage::DataDir;

fn sealed_text(directory: &Path) -> String {
    unseal(master_key(directory), &fs::read(directory.join("relay.enc")).unwrap())
}

#[test]
fn members_we_do_not_know_survive_load_change_and_save() {
    let plain = br#"{"z_future":{"b":1,"a":[1.50,"<"]},"enabled":false,"another":12345678901234567890}"#;
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("relay.enc"), plain).unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let mut config = data_dir.relay_config().unwrap().value;
    assert_eq!(sealed_text(directory.path()).as_bytes(), plain);
    config.enabled = true;
    config.set_identity(&Identity::generate().unwrap());
    data_dir.save_config(&config).unwrap();
    let saved = sealed_text(directory.path());
    assert_eq!(saved, config.secret_json().expose_secret());
    let unknown = "\",\n  \"z_future\": {\"b\":1,\"a\":[1.50,\"<\"]},\n  \"another\": 12345678901234567890\n}";
    assert!(saved.ends_with(unknown), "{saved}");
}

#[test]
fn what_is_sealed_but_no_config_is_refused_and_kept() {
    let no_configs: [&[u8]; 7] =
        [b"", b"null", b"[]", b"{\"enabled\":1}", b"{\"a\":1,\"a\":1}", b"{", b"{\"server_url\":\"\xff\"}"];
    for plain in no_configs {
        let directory = copied(&vectors().join("relay_enc/whole"));
        let sealed = seal(master_key(directory.path()), plain);
        fs::write(directory.path().join("relay.enc"), &sealed).unwrap();
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let error = data_dir.relay_config().unwrap_err();
        assert!((700..800).contains(&error.code()), "{error}");
        assert_eq!(data_dir.save_config(&RelayConfig::default()), Err(error));
        assert_eq!(fs::read(directory.path().join("relay.enc")).unwrap(), sealed);
    }
}

#[test]
fn a_plain_file_that_is_no_config_is_refused_and_kept() {
    for plain in ["null", "[]", "1", "\"text\"", "{\"enabled\":\"yes\"}", "{\"enabled\":true,\"enabled\":true}"] {
        let directory = copied(&vectors().join("relay_enc/absent"));
        fs::write(directory.path().join("relay.enc"), plain).unwrap();
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        assert!(matches!(data_dir.relay_config(), Err(Error::FileMalformed { .. })), "{plain}");
        assert_eq!(fs::read_to_string(directory.path().join("relay.enc")).unwrap(), plain);
    }
}

#[test]
fn a_sealed_file_without_its_key_names_the_key() {
    let directory = copied(&vectors().join("relay_enc/whole"));
    let key_file = directory.path().join(".encryption.key");
    fs::remove_file(&key_file).unwrap();
    let before = files_of(directory.path());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    for error in [data_dir.relay_config().unwrap_err(), data_dir.save_config(&RelayConfig::default()).unwrap_err()] {
        let Error::KeyFileLost { path, sealed, .. } = error else { panic!("{error:?}") };
        assert_eq!(Path::new(&path), key_file);
        assert_eq!(Path::new(&sealed), directory.path().join("relay.enc"));
    }
    assert!(files_of(directory.path()) == before);
}

#[test]
fn what_is_too_short_to_be_sealed_is_said_to_be_neither() {
    for (length, is_sealed) in [(1, false), (27, false), (28, true)] {
        let directory = copied(&vectors().join("relay_enc/whole"));
        fs::write(directory.path().join("relay.enc"), vec![0xff; length]).unwrap();
        let refused = DataDir::new(directory.path()).lock().unwrap().relay_config().unwrap_err();
        let said = refused.to_string().contains(&format!("neither sealed nor JSON: {length} bytes"));
        assert_eq!(said, !is_sealed, "{refused}");
    }
}
