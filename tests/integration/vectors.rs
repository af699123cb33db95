//! Where the deployed vectors come from.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pulse_trust::keys::SigningKey;
use sha2::{Digest, Sha256};

use crate::common::vector_file;

/// `tests/vectors/generator` derives its keys from a seed and a name; the committed files were made with seed 1.
#[test]
fn the_committed_keys_follow_from_the_generators_default_seed() {
    if std::env::var_os("PULSE_TRUST_VECTORS").is_some() {
        return; // a set that was made under other keys
    }
    let file = vector_file("leases.json");
    for (name, setting) in [("hosted lease", "hosted_public_key"), ("license", "license_public_key")] {
        let seed = Sha256::digest(format!("pulse-trust throw-away test key 1: {name}"));
        let key = SigningKey::from_base64(&STANDARD.encode(seed)).unwrap();
        assert_eq!(key.public_key().to_base64(), file[setting], "{name}");
    }
}
