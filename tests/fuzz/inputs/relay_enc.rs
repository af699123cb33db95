//! Any bytes as what is sealed in `relay.enc`: what is read shows no secret, and is read the same after it was saved.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pulse_trust::storage::{DataDir, IdentityChange};

use super::{data_dir, sealing};

const KEY: [u8; 32] = [9; 32];

pub(crate) fn run(plain: &[u8]) {
    let sealed = sealing::seal(KEY, plain);
    let folder = data_dir(&[(".encryption.key", STANDARD.encode(KEY).as_bytes()), ("relay.enc", &sealed)]);
    let locked = DataDir::new(folder.path()).lock().expect("the lock");
    let Ok(loaded) = locked.relay_config() else {
        assert_eq!(fs::read(folder.path().join("relay.enc")).expect("still there"), sealed);
        return;
    };
    let (config, revision) = (loaded.value, loaded.revision);
    let before = config.secret_json().expose_secret().to_owned();
    let shown = format!("{config:?}");
    for line in before.lines().filter(|line| line.contains("secret") || line.contains("private")) {
        let value = line.split_once(": \"").map_or("", |(_, value)| value.trim_end_matches([',', '"']));
        assert!(value.len() < 8 || !shown.contains(value), "Debug shows a secret");
    }
    let saved = locked.save_relay_config(&config, &revision, IdentityChange::Keep);
    saved.expect("a config that was read can be saved");
    let again = locked.relay_config().expect("a config that was saved").value;
    assert_eq!(again.secret_json().expose_secret(), before);
}
