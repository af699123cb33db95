//! Pairing payloads, deep links and scanned codes (FORMATS 13).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{cases, vector_file};
use pulse_trust::Error;
use pulse_trust::pairing::{
    ConnectionCheck, InstanceIdVerdict, MAX_CODE_LEN, Onboarding, PairingCode, TokenVerdict, check_connection,
    relay_url_for_app, relay_url_normal_form,
};
use pulse_trust::relay::{Identity, RelayConfig};
use serde_json::{Value, json};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn without_messages(mut value: Value) -> Value {
    for diagnostic in value["diagnostics"].as_array_mut().into_iter().flatten() {
        diagnostic.as_object_mut().unwrap().remove("message");
    }
    value
}

#[test]
fn payloads_are_built_byte_for_byte() {
    let file = vector_file("onboarding.json");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let config = RelayConfig::from_json(&case["relay_config"].to_string()).unwrap();
        let built = Onboarding::new(&config, text(case, "instance_id"), text(case, "auth_token"))
            .with_instance_url(text(case, "instance_url"))
            .build();
        let codes = |diagnostics: &[pulse_trust::pairing::Diagnostic]| -> Value {
            diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
        };
        let expected = case.get("ours_diagnostic_codes").unwrap_or(&case["diagnostic_codes"]);
        match built {
            Ok(payload) => {
                assert!(case["ready"].as_bool().unwrap(), "{name}");
                assert_eq!(codes(&payload.diagnostics), *expected, "{name}");
                let mut value = case["payload"].clone();
                if case.get("ours_diagnostic_codes").is_some() {
                    value["diagnostics"] = json!([]);
                }
                let written = payload.secret_json().unwrap();
                let ours: Value = serde_json::from_str(&written).unwrap();
                assert_eq!(without_messages(ours), without_messages(value), "{name}");
                assert_eq!(payload.secret_deep_link(), text(&case["payload"], "deep_link"), "{name}");
                let in_order = [
                    "\"schema\"",
                    "\"instance_id\"",
                    "\"relay\"",
                    "\"auth_token\"",
                    "\"deep_link\"",
                    "\"diagnostics\"",
                ];
                assert!(in_order.map(|member| written.find(member)).is_sorted(), "{name}");
                scanned_again(name, &payload, &config);
            }
            Err(not_ready) => {
                assert!(!case["ready"].as_bool().unwrap(), "{name}");
                assert_eq!(codes(&not_ready.diagnostics), *expected, "{name}");
                assert!(matches!(Error::from(not_ready), Error::PairingNotReady { .. }));
            }
        }
    }
}

/// What a phone reads of the three forms of a payload.
fn scanned_again(name: &str, payload: &pulse_trust::pairing::OnboardingPayload, config: &RelayConfig) {
    let compact = payload.secret_compact_code();
    assert!(compact.len() < payload.secret_deep_link().len() || config.identity_fingerprint.is_empty(), "{name}");
    for form in [payload.secret_deep_link(), &compact, &payload.secret_json().unwrap()] {
        let code = PairingCode::parse(form).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(code.instance_id(), payload.instance_id, "{name}");
        assert_eq!(code.relay_url(), payload.relay.url, "{name}");
        assert!(
            payload
                .secret_json()
                .unwrap()
                .contains(&json!(code.secret_auth_token()).to_string().replace('&', "\\u0026")),
            "{name}"
        );
        let key = code.identity().map(|key| key.to_base64()).unwrap_or_default();
        assert_eq!(key, config.identity_public_key, "{name}");
        assert_eq!(code.require_identity().is_err(), config.identity_public_key.is_empty(), "{name}");
        assert!(!format!("{code:?}{payload:?}").contains(code.secret_auth_token()), "{name}");
    }
}

#[test]
fn relay_urls_have_one_normal_form() {
    let file = vector_file("onboarding.json");
    for case in cases(&file, "relay_urls") {
        let normal = relay_url_normal_form(text(case, "in"));
        assert_eq!(normal.is_some(), case["ok"].as_bool().unwrap(), "{case}");
        assert_eq!(normal.unwrap_or_default(), text(case, "normalized"), "{case}");
        assert_eq!(relay_url_for_app(text(case, "in")), text(case, "app_url"), "{case}");
    }
}

fn link(identity: &Identity, relay_url: &str) -> String {
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.server_url = relay_url.into();
    config.set_identity(identity);
    Onboarding::new(&config, "relay_2e1b0929e6fd7c52", "tok-1").build().unwrap().secret_deep_link().to_owned()
}

#[test]
fn a_tampered_code_never_yields_another_key_for_the_instance() {
    let identity = Identity::generate().unwrap();
    let link = link(&identity, "wss://relay.example.test/ws/instance");
    let mut refused = 0;
    for index in 0..link.len() {
        for replacement in [b'A', b'b', b'0', b'%', b'&', b'=', b'+'] {
            let mut bytes = link.clone().into_bytes();
            if bytes[index] == replacement {
                continue;
            }
            bytes[index] = replacement;
            match PairingCode::parse(&String::from_utf8(bytes).unwrap()) {
                Err(_) => refused += 1,
                Ok(code) => assert!(code.identity().is_none_or(|key| key == identity.public_key()), "byte {index}"),
            }
        }
    }
    assert!(refused > link.len(), "{refused}");
    let another = Identity::generate().unwrap();
    let swapped = link.replace(
        &link[link.find("identity_public_key=").unwrap()..link.find("&instance_id").unwrap()],
        &format!("identity_public_key={}", another.public_key().to_base64().replace('+', "%2B").replace('/', "%2F")),
    );
    assert!(matches!(PairingCode::parse(&swapped), Err(Error::FingerprintMismatch { .. })));
}

#[test]
fn hostile_codes_are_refused() {
    let good = "pulse://connect?auth_token=t&instance_id=i&relay_url=wss%3A%2F%2Fr.test%2Fws%2Fapp&schema=pulse-mobile-onboarding-v1";
    assert!(PairingCode::parse(&format!("  {good}&utm=x\n")).is_ok());
    for (bad, name) in [
        (format!("{good}&auth_token=u"), "PAIRING_DUPLICATE"),
        (format!("{good}&x=1&x=2"), "PAIRING_DUPLICATE"),
        (good.replace("auth_token=t", "auth_token="), "PAIRING_MISSING"),
        (good.replace("instance_id=i&", ""), "PAIRING_MISSING"),
        (good.replace("onboarding-v1", "onboarding-v2"), "PAIRING_SCHEMA"),
        (good.replace("auth_token=t", "auth_token=%zz"), "PAIRING_MALFORMED"),
        (good.replace("auth_token=t", "auth_token=%ff"), "PAIRING_MALFORMED"),
        (good.replace("auth_token=t", "auth_token=a%00b"), "PAIRING_MALFORMED"),
        (good.replace("pulse:", "https:"), "PAIRING_MALFORMED"),
        (good.replace("wss%3A%2F%2Fr.test", "https%3A%2F%2Fr.test"), "PAIRING_MALFORMED"),
        (good.replace("wss%3A%2F%2Fr.test", "wss%3A%2F%2Fu%40r.test"), "PAIRING_MALFORMED"),
        (format!("{good}&instance_url=http%3A%2F%2Fx.test"), "PAIRING_MALFORMED"),
        (format!("{good}&identity_fingerprint=AA"), "KEY_FINGERPRINT_MISMATCH"),
        (format!("{good}&identity_public_key=AAAA"), "KEY_ENCODING"),
        (format!("{good}&x={}", "a".repeat(MAX_CODE_LEN)), "PAIRING_TOO_LARGE"),
        (r#"{"schema":"pulse-mobile-onboarding-v1","schema":"x"}"#.into(), "PAIRING_MALFORMED"),
        ("{}".into(), "PAIRING_SCHEMA"),
        (String::new(), "PAIRING_MALFORMED"),
    ] {
        assert_eq!(PairingCode::parse(&bad).unwrap_err().name(), name, "{bad:.200}");
    }
}

#[test]
fn without_tls_only_local_hosts_are_reached() {
    let reached = |host: &str| {
        let url = format!("ws://{host}/ws/app").replace(':', "%3A").replace('/', "%2F");
        let code =
            format!("pulse://connect?auth_token=t&instance_id=i&relay_url={url}&schema=pulse-mobile-onboarding-v1");
        match PairingCode::parse(&code) {
            Ok(_) => true,
            Err(Error::PairingInsecureUrl { .. } | Error::PairingMalformed { .. }) => false,
            Err(other) => panic!("{host}: {other:?}"),
        }
    };
    for local in [
        "127.0.0.1:8080",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "[::1]:80",
        "[fe80::1]",
        "[fd00::1]",
        "localhost",
        "nas:9000",
        "pulse.local",
        "Pulse.LAN",
        "a.internal",
        "x.home.arpa",
    ] {
        assert!(reached(local), "{local}");
    }
    for public in [
        "8.8.8.8",
        "172.32.0.1",
        "172.15.0.1",
        "192.169.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "11.0.0.1",
        "[2001:db8::1]",
        "[::ffff:10.0.0.1]",
        "[::]",
        "0.0.0.0",
        "relay.example.test",
        "local",
        "127.1",
        "0x7f000001",
        "2130706433",
        "a.local.example.test",
        "notlocal.test",
        "x.local.",
        "home.arpa.test",
        "[fe80::1%25eth0]",
        "ünïcode",
    ] {
        let is_single_label = public == "local";
        assert_eq!(reached(public), is_single_label, "{public}");
    }
}

#[test]
fn a_connection_is_checked_in_order_and_without_secrets() {
    let right = ConnectionCheck {
        relay_enabled: true,
        server_url: "wss://relay.example.test/ws/instance",
        own_instance_id: InstanceIdVerdict::Registered("relay_1"),
        instance_id: "relay_1",
        relay_url: "wss://relay.example.test/ws/app",
        auth_token: "SECRET",
        token_verdict: TokenVerdict::Known,
    };
    let codes = |check: ConnectionCheck<'_>| -> Vec<&str> {
        let diagnostics = check_connection(&check);
        assert!(!format!("{diagnostics:?}{check:?}").contains("SECRET"));
        diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
    };
    assert!(codes(right).is_empty());
    assert_eq!(codes(ConnectionCheck { instance_id: "relay_2", ..right }), ["instance_id_mismatch"]);
    assert_eq!(
        codes(ConnectionCheck { own_instance_id: InstanceIdVerdict::Unverifiable, ..right }),
        ["instance_id_unverifiable"]
    );
    assert_eq!(codes(ConnectionCheck { relay_url: "https://x", ..right }), ["relay_url_invalid"]);
    assert_eq!(codes(ConnectionCheck { relay_url: "wss://other.test/ws/app", ..right }), ["relay_url_mismatch"]);
    assert_eq!(codes(ConnectionCheck { token_verdict: TokenVerdict::Unknown, ..right }), ["auth_token_invalid"]);
    let nothing = ["relay_disabled", "instance_id_missing", "relay_url_missing", "auth_token_missing"];
    assert_eq!(codes(ConnectionCheck::default()), nothing);
}

#[cfg(feature = "qr")]
#[test]
fn a_code_is_drawn_and_one_that_does_not_fit_is_refused() {
    use pulse_trust::pairing::{qr_svg, qr_terminal};
    let link = link(&Identity::generate().unwrap(), "wss://relay.example.test/ws/instance");
    assert!(qr_svg(&link).unwrap().starts_with("<?xml"));
    let lines: Vec<usize> = qr_terminal(&link).unwrap().lines().map(|line| line.chars().count()).collect();
    assert!(lines.iter().all(|width| *width == lines[0] && *width > 40), "{lines:?}");
    assert!(matches!(qr_svg(&"a".repeat(3000)), Err(Error::QrTooLarge { received: 3000 })));
}
