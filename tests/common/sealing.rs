//! Sealing and signing as formats.md#encrypted-files, formats.md#billing-state say, without the library: to make files
//! for it, and to open what it made.

use std::path::Path;

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// The master key of a directory.
pub fn master_key(directory: &Path) -> [u8; 32] {
    let line = std::fs::read_to_string(directory.join(".encryption.key")).unwrap_or_else(|error| panic!("{error}"));
    let key = STANDARD.decode(line.trim()).unwrap_or_else(|error| panic!("{error}"));
    key.try_into().unwrap_or_else(|_| panic!("the key is not 32 bytes long"))
}

/// The key of the license files, from the text of `.license-key`.
pub fn license_key(text: &str) -> [u8; 32] {
    let mut key = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(Some(b"pulse-license-persistence-v2"), text.as_bytes());
    hkdf.expand(b"license-encryption", &mut key).unwrap_or_else(|error| panic!("{error}"));
    key
}

/// Seals under a fixed nonce, which only a test may do.
pub fn seal(key: [u8; 32], plain: &[u8]) -> Vec<u8> {
    let nonce = [7; 12];
    let body = Aes256Gcm::new(&key.into()).encrypt(&nonce.into(), plain).unwrap_or_else(|error| panic!("{error}"));
    [nonce.as_slice(), &body].concat()
}

/// The same in base64.
pub fn seal_text(key: [u8; 32], plain: &str) -> String {
    STANDARD.encode(seal(key, plain.as_bytes()))
}

/// Opens what was sealed.
pub fn unseal(key: [u8; 32], sealed: &[u8]) -> String {
    let (nonce, body) = sealed.split_first_chunk::<12>().unwrap_or_else(|| panic!("too short to be sealed"));
    let plain = Aes256Gcm::new(&key.into()).decrypt(&(*nonce).into(), body);
    String::from_utf8(plain.unwrap_or_else(|_| panic!("sealed under another key"))).unwrap_or_else(|e| panic!("{e}"))
}

/// The same from base64.
pub fn unseal_text(key: [u8; 32], sealed: &str) -> String {
    unseal(key, &STANDARD.decode(sealed).unwrap_or_else(|error| panic!("{error}")))
}

/// The integrity code of a payload's JSON text.
pub fn integrity(key: [u8; 32], payload: &str) -> String {
    let derived = Sha256::new().chain_update(b"pulse-billing-integrity-").chain_update(key).finalize();
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&derived).unwrap_or_else(|error| panic!("{error}"));
    mac.update(payload.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The members of a billing.json that are sealed.
pub const SECRETS: [&str; 2] = ["entitlement_jwt", "entitlement_refresh_token"];

/// A billing.json, its secrets opened where they are sealed.
pub fn file_with_plain_secrets(directory: &Path, path: &str) -> serde_json::Value {
    let bytes = std::fs::read(directory.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
    for name in SECRETS {
        if let Some(secret) = value.get_mut(name) {
            *secret = unseal_text(master_key(directory), secret.as_str().unwrap_or_default()).into();
        }
    }
    value
}
