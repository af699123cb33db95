//! Keys as the deployed runtime decodes them.

use libtest_mimic::Trial;
use pulse_trust::Error;
use pulse_trust::keys::{PublicKey, SigningKey};
use serde_json::Value;

use crate::common::{bytes_of_hex, text, vector_file};
use crate::{each, one};

pub fn tests() -> Vec<Trial> {
    let mut tests = each("keys.json", "public", public);
    tests.extend(each("keys.json", "private", private));
    tests.push(one("keys/log_fingerprint", fingerprint));
    tests
}

fn public(_: &Value, case: &Value) {
    match (PublicKey::from_base64(text(case, "in")), case["error"].as_bool().unwrap()) {
        (Ok(key), false) => assert_eq!(key.as_bytes().as_slice(), bytes_of_hex(text(case, "hex"))),
        (Err(Error::KeyEncoding { .. }), true) => {}
        (decoded, _) => panic!("{decoded:?}"),
    }
}

fn private(_: &Value, case: &Value) {
    match (SigningKey::from_base64(text(case, "in")), case["error"].as_bool().unwrap()) {
        (Ok(key), false) => {
            assert_eq!(key.public_key().as_bytes().as_slice(), bytes_of_hex(text(case, "hex")));
            let again = SigningKey::from_base64(key.secret_base64().expose_secret()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
            assert!(!format!("{key:?}").contains(key.secret_base64().expose_secret()));
        }
        (Err(Error::KeyEncoding { .. }), true) => {}
        (decoded, _) => panic!("{decoded:?}"),
    }
}

fn fingerprint() {
    let file = vector_file("keys.json");
    let fingerprint = &file["log_fingerprint"];
    let key = PublicKey::from_base64(text(fingerprint, "public_key")).unwrap();
    assert_eq!(key.log_fingerprint(), text(fingerprint, "fingerprint"));
    let digits = key.fingerprint().replace(':', "").to_lowercase();
    assert_eq!(key.key_id().as_str(), &digits[..16]);
}
