//! Every one-byte deletion, insertion and change of one token of each kind: none is accepted.

use pulse_trust::UnixTime;
use pulse_trust::entitlement::{HostBinding, LeaseChecks, VerifiedToken};
use pulse_trust::keys::{TableSize, TrustKeySet, TrustKeys};
use serde_json::Value;

const ANY_HOST: LeaseChecks<'static> = LeaseChecks::new(HostBinding::AnyHost);

/// A token that is accepted, of the refused ones' folder.
struct Accepted {
    token: String,
    keys: TrustKeys,
    now: UnixTime,
}

impl Accepted {
    fn read(name: &str) -> Self {
        let path = format!("{}/tests/vectors/refused/accepted/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let case: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        // With its table a key takes a tenth of the time; what it accepts is the same.
        let set = |kind: &str| {
            let keys = TrustKeySet::from_setting(case["keys"][kind].as_str().unwrap()).unwrap();
            keys.with_tables(TableSize::Large).unwrap()
        };
        let keys = TrustKeys::new(set("lease"), set("license"));
        let now = UnixTime::from_secs(case["now"].as_i64().unwrap());
        Self { token: case["token"].as_str().unwrap().to_owned(), keys, now }
    }

    fn accepts(&self, token: &str) -> bool {
        VerifiedToken::verify(token, &self.keys, &ANY_HOST, self.now).is_ok()
    }

    /// How many tokens differ from it by one byte, none of which may be accepted.
    fn edits(&self) -> usize {
        assert!(self.accepts(&self.token));
        let mut tried = 0;
        let mut refused = |edited: &[u8]| {
            // Bytes over 127 alone are not text, and no token can be asked for with them.
            let edited = str::from_utf8(edited).unwrap();
            assert!(!self.accepts(edited), "accepted: {edited}");
            tried += 1;
        };
        let bytes = self.token.as_bytes();
        for at in 0..=bytes.len() {
            let (before, after) = bytes.split_at(at);
            if let Some((_, rest)) = after.split_first() {
                refused(&[before, rest].concat());
            }
            for byte in 0..=127 {
                refused(&[before, &[byte], after].concat());
                if let Some((_, rest)) = after.split_first().filter(|(own, _)| **own != byte) {
                    refused(&[before, &[byte], rest].concat());
                }
            }
        }
        let length = bytes.len();
        assert_eq!(tried, length + 128 * (length + 1) + 127 * length);
        tried
    }
}

#[test]
fn no_edit_of_one_byte_of_a_lease_is_accepted() {
    assert!(Accepted::read("lease").edits() > 100_000);
}

#[test]
fn no_edit_of_one_byte_of_a_license_is_accepted() {
    assert!(Accepted::read("license").edits() > 50_000);
}

#[test]
fn no_edit_of_one_byte_of_a_grant_is_accepted() {
    assert!(Accepted::read("grant").edits() > 50_000);
}

#[test]
fn no_edit_of_one_byte_of_a_providers_lease_is_accepted() {
    assert!(Accepted::read("chained-lease").edits() > 200_000);
}
