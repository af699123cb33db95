//! What a phone takes of a scanned text, and what it refuses.

use pulse_trust::Error;
use pulse_trust::pairing::{MAX_CODE_LEN, PairingCode};
use pulse_trust::relay::Identity;

use super::vector::File;

const REQUIRED: &str = "pulse://connect?auth_token=t&instance_id=i&relay_url=wss%3A%2F%2Fh";

#[test]
fn every_deployed_code_is_taken_in_each_of_its_forms() {
    for case in File::read().ready_cases() {
        let payload = case.payload();
        let json = serde_json::to_string_pretty(&payload).unwrap();
        for scanned in [case.deep_link(), case.expected_json(), json, format!("\n {} \t", case.deep_link())] {
            let code = PairingCode::parse(&scanned).unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_eq!(code.instance_id(), payload["instance_id"], "{}", case.name);
            assert_eq!(code.relay_url(), payload["relay"]["url"], "{}", case.name);
            assert_eq!(code.secret_auth_token(), payload["auth_token"], "{}", case.name);
            assert_eq!(code.instance_url(), payload["instance_url"].as_str(), "{}", case.name);
            assert_eq!(
                code.fingerprint().as_deref(),
                payload["relay"]["identity_fingerprint"].as_str(),
                "{}",
                case.name
            );
            let key = code.identity().map(pulse_trust::keys::PublicKey::to_base64);
            assert_eq!(key.as_deref(), payload["relay"]["identity_public_key"].as_str(), "{}", case.name);
            assert_eq!(code.require_identity().is_ok(), key.is_some(), "{}", case.name);
        }
    }
}

#[test]
fn a_code_without_an_identity_opens_no_channel() {
    let code = PairingCode::parse(REQUIRED).unwrap();
    assert_eq!(code.identity(), None);
    assert_eq!(code.fingerprint(), None);
    assert_eq!(code.require_identity().unwrap_err(), Error::PairingNoIdentity);
}

#[test]
fn the_length_is_checked_before_anything_else() {
    let padding = MAX_CODE_LEN - REQUIRED.len() - "&x=".len();
    let longest = format!("{REQUIRED}&x={}", "y".repeat(padding));
    assert_eq!(longest.len(), MAX_CODE_LEN);
    assert!(PairingCode::parse(&longest).is_ok());
    let received = MAX_CODE_LEN + 1;
    for text in [format!("{longest}y"), " ".repeat(received), "[".repeat(received), "%".repeat(received)] {
        assert_error!(refusal(&text), PairingTooLarge { limit: MAX_CODE_LEN, received: received });
    }
}

#[test]
fn unknown_members_are_kept_out() {
    let code = PairingCode::parse(&format!("{REQUIRED}&x=1&url=ws%3A%2F%2Fevil&Instance_id=other&name=Home")).unwrap();
    assert_eq!((code.instance_id(), code.relay_url(), code.name()), ("i", "wss://h", Some("Home")));
    let json = r#"{"x":{"a":[1,null]},"relay_url":"ws://evil.test","deep_link":"pulse://connect?instance_id=other",
        "identity_public_key":"x","identity_fingerprint":"x","diagnostics":7,
        "instance_id":"i","auth_token":"t","relay":{"url":"wss://h","enabled":true,"auth_token":"other","y":0}}"#;
    let code = PairingCode::parse(json).unwrap();
    assert_eq!((code.instance_id(), code.relay_url(), code.secret_auth_token()), ("i", "wss://h", "t"));
    assert_eq!(code.identity(), None);
}

#[test]
fn a_repeated_key_is_an_error() {
    for (part, key) in [
        ("instance_id=i", "instance_id"),
        ("instance_id=", "instance_id"),
        ("instance%5fid=j", "instance_id"),
        ("auth_token=t", "auth_token"),
        ("relay_url=wss%3A%2F%2Fevil", "relay_url"),
        ("name=a&name=b", "name"),
        ("schema=&schema=", "schema"),
        ("x=1&x=1", "an unknown key"),
        ("x=1&%78=2", "an unknown key"),
    ] {
        assert_error!(refusal(&format!("{REQUIRED}&{part}")), PairingDuplicate { key: key }, "{part}");
    }
    let relay = r#""relay":{"url":"wss://h"}"#;
    for (json, key) in [
        (r#"{"auth_token":"t","auth_token":"t"}"#.to_owned(), "auth_token"),
        (r#"{"instance_id":"i","instance\u005fid":"j"}"#.to_owned(), "instance_id"),
        (format!("{{{relay},{relay}}}"), "relay"),
        (r#"{"relay":{"url":"wss://h","url":"wss://i"}}"#.to_owned(), "url"),
        (r#"{"relay":{"enabled":true,"enabled":true}}"#.to_owned(), "an unknown key"),
        (r#"{"x":1,"x":2}"#.to_owned(), "an unknown key"),
    ] {
        assert_error!(refusal(&json), PairingDuplicate { key: key }, "{json}");
    }
}

#[test]
fn required_members_are_there() {
    for key in ["auth_token", "instance_id", "relay_url"] {
        let parts = || REQUIRED.split_once('?').unwrap().1.split('&');
        let without: Vec<_> = parts().filter(|part| !part.starts_with(key)).collect();
        for rest in ["", &format!("&{key}="), &format!("&{key}=+%20%C2%A0")] {
            let link = format!("pulse://connect?{}{rest}", without.join("&"));
            assert_error!(refusal(&link), PairingMissing { key: key }, "{link}");
        }
    }
    assert_error!(refusal("{}"), PairingMissing { key: "auth_token" });
    assert_error!(refusal(r#"{"auth_token":null}"#), PairingMissing { key: "auth_token" });
    assert_error!(refusal(r#"{"auth_token":"t","relay":{"url":"wss://h"}}"#), PairingMissing { key: "instance_id" });
    assert_error!(refusal(r#"{"auth_token":"t","instance_id":"i"}"#), PairingMissing { key: "relay_url" });
    assert_error!(
        refusal(r#"{"auth_token":"t","instance_id":"i","relay":{"url":" "}}"#),
        PairingMissing { key: "relay_url" }
    );
}

#[test]
fn another_schema_is_refused() {
    assert!(PairingCode::parse(&format!("{REQUIRED}&schema=pulse-mobile-onboarding-v1")).is_ok());
    for schema in ["pulse-mobile-onboarding-v2", "Pulse-mobile-onboarding-v1", "x"] {
        let expected = "pulse-mobile-onboarding-v1";
        assert_error!(
            refusal(&format!("{REQUIRED}&schema={schema}")),
            PairingSchema { expected: expected, received: schema.to_owned() }
        );
        assert_error!(
            refusal(&format!("{{\"schema\":\"{schema}\"}}")),
            PairingSchema { expected: expected, received: schema.to_owned() }
        );
    }
    let long = refusal(&format!("{REQUIRED}&schema={}", "s".repeat(3000)));
    assert!(long.to_string().len() < 200, "{long}");
}

#[test]
fn what_is_no_pairing_code_is_refused() {
    for text in [
        "",
        " ",
        "https://example.test",
        "Pulse://connect?a=b",
        "pulse://connect",
        "pulse://connect/?auth_token=t",
        "pulse:connect?a=b",
        "[]",
        "\"{}\"",
        "\u{feff}{}",
        "{",
        "{}{}",
        "{\"auth_token\":1}",
        "{\"auth_token\":[\"t\"]}",
        "{\"auth_token\":\"\\ud800\"}",
        "{\"auth_token\":\"\\u0000\"}",
        "{\"relay\":\"wss://h\"}",
        "{\"relay\":null}",
        "{\"relay\":{\"url\":false}}",
        "{\"relay\":{\"url\":{}}}",
    ] {
        assert!(matches!(refusal(text), Error::PairingMalformed { .. }), "{text:?}");
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(1500), "]".repeat(1500));
    // An unknown member is skipped without a recursion.
    assert_error!(refusal(&deep), PairingMissing { key: "auth_token" });
}

#[test]
fn what_is_neither_a_link_nor_an_object_is_told_so() {
    for scanned in ["hello", "[1]", "https://example.test"] {
        let said = refusal(scanned).to_string();
        assert!(said.contains("expected pulse://connect? or a JSON object"), "{said}");
    }
}

#[test]
fn a_badly_escaped_deep_link_is_refused() {
    for part in [
        "name=%zz",
        "name=%",
        "name=%4",
        "name=%C3",
        "name=%FF",
        "name=%C0%AF",
        "name=%ED%A0%80",
        "name=%00",
        "name=%0A",
        "name=%7F",
        "name=%C2%85",
        "na%zz=x",
        "%FF=x",
        "name=a#b",
        "name=a b",
        "name=é",
        "name=a;b",
        "name=\"",
        "name=a\nb",
        "name=a\\b",
        "name=a|b",
        "name=a<b",
    ] {
        let link = format!("{REQUIRED}&{part}");
        assert!(matches!(refusal(&link), Error::PairingMalformed { .. }), "{link:?}");
    }
}

#[test]
fn other_encoders_of_queries_are_read() {
    let name = |part: &str| PairingCode::parse(&format!("{REQUIRED}&{part}")).unwrap().name().map(str::to_owned);
    assert_eq!(name("name=a+b%2b%C3%a9!'()*~%25").as_deref(), Some("a b+é!'()*~%"));
    assert_eq!(name("name=a:/?@$,=b=").as_deref(), Some("a:/?@$,=b="));
    for part in ["name=", "name", "", "&", "name=+"] {
        assert_eq!(name(part), None, "{part}");
    }
    let code = PairingCode::parse("pulse://connect?auth_token=t&instance_id=i&relay_url=wss://h/ws/app?x=1").unwrap();
    assert_eq!(code.relay_url(), "wss://h/ws/app?x=1");
}

#[test]
fn public_key_and_fingerprint_agree() {
    let (identity, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let with = |key: &str, fingerprint: &str| {
        let relay =
            serde_json::json!({"url": "wss://h", "identity_public_key": key, "identity_fingerprint": fingerprint});
        PairingCode::parse(&serde_json::json!({"instance_id": "i", "auth_token": "t", "relay": relay}).to_string())
    };
    let (key, fingerprint) = (identity.public_key().to_base64(), identity.fingerprint());
    assert_eq!(with(&key, &fingerprint).unwrap().require_identity().unwrap(), identity.public_key());
    assert_eq!(with(&key, "").unwrap().fingerprint(), Some(fingerprint.clone()));
    assert_eq!(with("", "").unwrap().require_identity().unwrap_err(), Error::PairingNoIdentity);

    for expected in [other.fingerprint(), fingerprint.to_lowercase(), fingerprint.replace(':', ""), "x".to_owned()] {
        let error = with(&key, &expected).unwrap_err();
        assert_error!(error, FingerprintMismatch { expected: expected, received: fingerprint.clone() });
    }
    assert!(matches!(with("", &fingerprint).unwrap_err(), Error::FingerprintMismatch { .. }));
    assert!(matches!(with("x", "").unwrap_err(), Error::KeyEncoding { .. }));
    let small_order = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert!(matches!(with(small_order, "").unwrap_err(), Error::KeyWeak { .. }));
}

#[test]
fn plain_websockets_are_for_local_hosts_only() {
    for (host, is_local) in [
        ("127.0.0.1:8080", true),
        ("[::1]", true),
        ("10.1.2.3", true),
        ("172.31.0.1", true),
        ("169.254.1.1", true),
        ("100.64.0.1", true),
        ("[fe80::1]", true),
        ("[fd00::1]", true),
        ("localhost", true),
        ("PULSE:7655", true),
        ("nas.Local", true),
        ("nas.lan", true),
        ("nas.internal", true),
        ("nas.home.arpa", true),
        ("relay.example.test", false),
        ("8.8.8.8", false),
        ("[2001:db8::1]", false),
        ("[::ffff:8.8.8.8]", false),
        ("[::ffff:10.0.0.1]", false),
        ("127.1", false),
        ("0x7f.1", false),
        ("2130706433", false),
        ("127.0.0.1.", false),
        ("localhost.", false),
        ("localhost.example.test", false),
        ("127.0.0.1.example.test", false),
    ] {
        assert_eq!(with_relay_url(&format!("wss://{host}/ws/app")).map(drop), Ok(()), "{host}");
        for scheme in ["ws", "WS"] {
            let result = with_relay_url(&format!("{scheme}://{host}/ws/app"));
            match result {
                Ok(code) => assert!(is_local && code.relay_url().starts_with("ws://"), "{host}"),
                Err(error) => {
                    assert!(matches!(error, Error::PairingInsecureUrl { .. }) && !is_local, "{host}: {error}")
                }
            }
        }
    }
}

#[test]
fn a_relay_url_that_hides_its_host_is_refused() {
    for url in [
        "https://h",
        "h",
        "wss:h",
        "wss://",
        "wss:///x",
        "//h",
        "wss://relay.example.test@evil.test/",
        "ws://localhost@evil",
        "wss://:p@h",
        "wss://@h",
        "wss://h:0",
        "wss://h:65536",
        "wss://h:x",
        "wss://a b",
        "wss://a\\b",
        "ws://localhost\\@evil.test",
        "wss://h/%zz",
        "wss://[::1",
        "wss://[h]",
        "wss://h%2eevil",
        "ws://localhost#@evil.test:x@y/",
    ] {
        let result = with_relay_url(url);
        let is_malformed = matches!(result, Err(Error::PairingMalformed { .. }));
        // What follows `#` is a fragment, whatever it looks like: this one is `ws://localhost`.
        let is_plain = result.is_ok_and(|code| code.relay_url() == "ws://localhost");
        assert!(is_malformed || (is_plain && url.contains('#')), "{url}");
    }
    let code = with_relay_url(" WSS://Relay.Example.Test:443/ws/app/?x=1#f ").unwrap();
    assert_eq!(code.relay_url(), "wss://relay.example.test:443/ws/app?x=1");
}

#[test]
fn only_safe_links_to_the_instance_are_kept() {
    for (url, kept) in [
        ("https://h/x", true),
        ("HTTPS://h", true),
        ("http://h", false),
        ("javascript:alert(1)", false),
        ("https://h@evil.test", false),
        ("https://", false),
    ] {
        let json = serde_json::json!({"instance_id": "i", "auth_token": "t", "instance_url": url, "relay": {"url": "wss://h"}});
        assert_eq!(PairingCode::parse(&json.to_string()).unwrap().instance_url(), kept.then_some(url), "{url}");
    }
}

fn with_relay_url(url: &str) -> Result<PairingCode, Error> {
    PairingCode::parse(&serde_json::json!({"instance_id": "i", "auth_token": "t", "relay": {"url": url}}).to_string())
}

fn refusal(scanned: &str) -> Error {
    PairingCode::parse(scanned).expect_err(scanned)
}
