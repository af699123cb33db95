//! A code in which one character was changed never leads to another identity, and never off TLS.

use pulse_trust::pairing::PairingCode;
use pulse_trust::relay::Identity;

use super::vector::File;

/// Characters that mean something in one of the two forms, and some that do not.
const CHARACTERS: &str = "Aa0zZ9f+/=%&-_. ~?#;:,\"\\{}[]@\n\u{0}é";

#[test]
fn no_single_change_of_a_whole_code_yields_another_key() {
    let file = File::read();
    let case = file.full_case();
    let key = case.payload()["relay"]["identity_public_key"].as_str().unwrap().to_owned();
    for whole in [case.deep_link(), case.expected_json()] {
        let mut taken = 0_u32;
        let mut tried = 0_u32;
        for tampered in single_changes(&whole) {
            tried += 1;
            let Ok(code) = PairingCode::parse(&tampered) else { continue };
            taken += 1;
            // The fingerprint was there, so whatever is taken names the one identity, over TLS.
            assert_eq!(code.require_identity().map(|key| key.to_base64()), Ok(key.clone()), "{tampered}");
            assert!(code.relay_url().starts_with("wss://"), "{tampered}");
        }
        assert!(taken > 0 && taken < tried, "{taken} of {tried}");
    }
}

/// What no check of a code can show: nobody signed it. Another identity that is whole in itself is taken, and it is the
/// place where the code was seen that makes it the owner's.
#[test]
fn another_whole_identity_is_taken() {
    let file = File::read();
    let case = file.full_case();
    let other = Identity::generate().unwrap();
    let mut config = case.config();
    config.set_identity(&other);
    let code = PairingCode::parse(case.build_with(&config).unwrap().secret_deep_link()).unwrap();
    assert_eq!(code.instance_id(), case.instance_id);
    assert_eq!(code.require_identity(), Ok(other.public_key()));
}

/// Each character replaced, taken out, doubled, or with another put before it.
fn single_changes(text: &str) -> impl Iterator<Item = String> {
    text.char_indices().flat_map(move |(position, character)| {
        let (before, from) = text.split_at(position);
        let after = &from[character.len_utf8()..];
        let replaced = CHARACTERS.chars().filter(move |other| *other != character);
        let replaced = replaced.map(move |other| format!("{before}{other}{after}"));
        let other_case = char::from_u32(u32::from(character) ^ 0x20).unwrap_or('x');
        let more = [
            format!("{before}{after}"),
            format!("{before}{character}{character}{after}"),
            format!("{before}&{character}{after}"),
            format!("{before}{other_case}{after}"),
        ];
        replaced.chain(more)
    })
}
