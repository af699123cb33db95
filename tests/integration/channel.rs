//! The key exchange and the sealed messages, byte for byte as the deployed runtime makes them
//! (formats.md#channel-encryption).

use crate::common::{bytes_of_hex, cases, vector_file};
use pulse_trust::Error;
use pulse_trust::keys::PublicKey;
use pulse_trust::relay::{AppHandshake, Channel, Identity, accept_key_exchange, danger_accept_with_ephemeral_secret};
use serde_json::Value;

fn hex_of(file: &Value, name: &str) -> Vec<u8> {
    bytes_of_hex(file[name].as_str().unwrap())
}

fn identity(file: &Value) -> Identity {
    let part = |name: &str| file[name].as_str().unwrap();
    Identity::from_parts(part("identity_private_key"), part("identity_public_key"), part("identity_fingerprint"))
        .unwrap()
}

/// Both sides of the exchange in the vectors.
fn both_sides(file: &Value) -> (Channel, Channel) {
    let identity = identity(file);
    let app = AppHandshake::danger_with_ephemeral_secret(hex_of(file, "app_ephemeral_private_hex").try_into().unwrap());
    assert_eq!(app.message(), hex_of(file, "app_key_exchange_payload_hex"));
    let secret = hex_of(file, "instance_ephemeral_private_hex").try_into().unwrap();
    let (instance, answer) = danger_accept_with_ephemeral_secret(app.message(), &identity, secret).unwrap();
    assert_eq!(answer, hex_of(file, "instance_key_exchange_payload_hex"));
    (app.finish(&answer, identity.public_key()).unwrap(), instance)
}

#[test]
fn messages_are_sealed_and_opened_byte_for_byte() {
    let file = vector_file("channel.json");
    let (mut app, mut instance) = both_sides(&file);
    for (list, from, to) in [("app_to_instance", 0, 1), ("instance_to_app", 1, 0)] {
        let sides = [&mut app, &mut instance];
        for case in cases(&file, list) {
            let plaintext = hex_of(case, "plaintext_hex");
            let sealed = hex_of(case, "sealed_hex");
            assert_eq!(sides[from].seal(&plaintext).unwrap(), sealed, "{list}");
            assert_eq!(sides[to].open(&sealed).unwrap(), plaintext, "{list}");
        }
    }
}

#[test]
fn messages_arrive_in_order_or_not_at_all() {
    let file = vector_file("channel.json");
    let (_, mut instance) = both_sides(&file);
    let messages = cases(&file, "app_to_instance");
    for arrival in cases(&file, "arrivals") {
        let sealed = hex_of(&messages[usize::try_from(arrival["message"].as_u64().unwrap()).unwrap()], "sealed_hex");
        let outcome = instance.open(&sealed);
        assert_eq!(outcome.is_ok(), arrival["accepted"].as_bool().unwrap(), "{arrival}");
        if let Err(error) = outcome {
            assert!(matches!(error, Error::MessageReplayed { .. }), "{error:?}");
        }
    }
}

#[test]
fn a_forged_message_changes_nothing() {
    let file = vector_file("channel.json");
    let (mut app, mut instance) = both_sides(&file);
    let sealed = app.seal(b"status").unwrap();
    for index in 0..sealed.len() {
        let mut forged = sealed.clone();
        forged[index] ^= 1;
        let error = instance.open(&forged).unwrap_err();
        match index {
            8..12 => assert!(matches!(error, Error::MessageMalformed { .. })),
            _ => assert_eq!(error, Error::MessageForged, "byte {index}"),
        }
    }
    for length in 0..sealed.len() {
        assert!(instance.open(&sealed[..length]).is_err());
    }
    let mut out = b"kept".to_vec();
    assert!(instance.open_into(&sealed[1..], &mut out).is_err());
    assert_eq!(out, b"kept");
    assert_eq!(instance.open(&sealed).unwrap(), b"status");
}

#[test]
fn the_app_uses_no_channel_that_the_paired_identity_did_not_sign() {
    let file = vector_file("channel.json");
    let paired = identity(&file);
    let start = || {
        let app = AppHandshake::start().unwrap();
        let (_, answer) = accept_key_exchange(app.message(), &paired).unwrap();
        (app, answer)
    };
    let (app, answer) = start();
    let another = Identity::generate().unwrap();
    let error = app.finish(&answer, another.public_key()).unwrap_err();
    assert_error!(error, KeyExchangeSignature { expected: another.fingerprint() });
    for index in 0..97 {
        let (app, mut answer) = start();
        assert_eq!(answer.len(), 97);
        answer[index] ^= 0x40;
        assert!(app.finish(&answer, paired.public_key()).is_err(), "byte {index}");
    }
    for length in 0..97 {
        let (app, answer) = start();
        let error = app.finish(&answer[..length], paired.public_key()).unwrap_err();
        assert!(matches!(error, Error::KeyExchangeMalformed { .. }), "{length}: {error:?}");
    }
    let (app, mut answer) = start();
    answer.push(0);
    assert!(app.finish(&answer, paired.public_key()).is_err());
}

#[test]
fn a_key_of_small_order_is_refused_by_both_sides() {
    let file = vector_file("channel.json");
    let identity = identity(&file);
    // The u-coordinates of small order (RFC 7748, section 7 asks for the all-zero check that meets them).
    let low_order = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for point in low_order {
        let point = bytes_of_hex(point);
        let message = [&[32], point.as_slice()].concat();
        assert_eq!(accept_key_exchange(&message, &identity).map(|_| ()), Err(Error::KeyExchangeWeak));
        let signature = identity.sign_key_exchange(point.as_slice().try_into().unwrap());
        let answer = [message.as_slice(), &signature].concat();
        let app = AppHandshake::start().unwrap();
        assert_eq!(app.finish(&answer, identity.public_key()).map(|_| ()), Err(Error::KeyExchangeWeak));
    }
}

#[test]
fn the_parts_of_an_identity_must_agree() {
    let file = vector_file("channel.json");
    let part = |name: &str| file[name].as_str().unwrap();
    let another = Identity::generate().unwrap();
    let (private, public, fingerprint) =
        (part("identity_private_key"), part("identity_public_key"), part("identity_fingerprint"));
    assert_eq!(PublicKey::from_base64(public).unwrap().fingerprint(), fingerprint);
    let error = Identity::from_parts(private, &another.public_key().to_base64(), fingerprint).unwrap_err();
    assert!(matches!(error, Error::IdentityInvalid { .. }), "{error:?}");
    let error = Identity::from_parts(private, public, &another.fingerprint()).unwrap_err();
    assert!(matches!(error, Error::FingerprintMismatch { .. }), "{error:?}");
    assert!(Identity::from_parts("", public, fingerprint).is_err());
    assert!(!format!("{another:?}").contains(another.secret_private_key_base64().expose_secret()));
}
