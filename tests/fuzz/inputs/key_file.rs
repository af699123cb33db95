//! Any bytes as the master key's file, beside a config that is sealed: it opens the config, or all stays as it was.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pulse_trust::storage::DataDir;

use super::{data_dir, sealing};

const KEY: [u8; 32] = [9; 32];

pub(crate) fn run(key_file: &[u8]) {
    let sealed = sealing::seal(KEY, br#"{"enabled":true,"instance_secret":"kept"}"#);
    let folder = data_dir(&[(".encryption.key", key_file), ("relay.enc", &sealed)]);
    let locked = DataDir::new(folder.path()).lock().expect("the lock");
    match locked.relay_config() {
        Ok(loaded) => {
            assert!(loaded.value.enabled);
            let text = String::from_utf8_lossy(key_file);
            assert_eq!(STANDARD.decode(text.trim()).expect("the key's base64"), KEY);
        }
        Err(_) => {
            assert_eq!(fs::read(folder.path().join("relay.enc")).expect("still there"), sealed);
            assert_eq!(fs::read(folder.path().join(".encryption.key")).expect("still there"), key_file);
        }
    }
}
