//! What the runtime offers, byte for byte as deployed.

use pulse_trust::pairing::{Onboarding, PairingCode};
use pulse_trust::relay::RelayConfig;

use super::vector::File;

#[test]
fn an_error_names_what_is_not_ready() {
    let config = RelayConfig::default();
    let not_ready = Onboarding::new(&config, " ", "\t").with_instance_url("http://10.0.0.5:7655").build().unwrap_err();
    let fields: Vec<_> = not_ready.diagnostics.iter().map(|diagnostic| diagnostic.field.unwrap()).collect();
    assert_eq!(fields, ["instance_url", "relay.enabled", "instance_id", "auth_token"]);
    let error = pulse_trust::Error::from(not_ready.clone());
    assert_eq!(not_ready.to_string(), error.to_string());
    assert_eq!(error.name(), "PAIRING_NOT_READY");
    assert_eq!(
        error.to_string(),
        "no pairing code can be offered: relay_disabled, relay_registration_unavailable, auth_token_missing"
    );
}

#[test]
fn the_compact_code_is_the_deep_link_without_what_can_be_derived() {
    for case in File::read().ready_cases() {
        let payload = case.build().unwrap();
        let compact = payload.secret_compact_code().expose_secret().to_owned();
        let (prefix, query) = compact.split_once('?').unwrap();
        let deep_link = payload.secret_deep_link();
        let left: Vec<_> = deep_link
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('?'))
            .unwrap()
            .split('&')
            .filter(|part| !part.starts_with("identity_fingerprint=") && !part.starts_with("instance_url="))
            .collect();
        assert_eq!(query, left.join("&"), "{}", case.name);

        let (whole, compact) = (PairingCode::parse(deep_link).unwrap(), PairingCode::parse(&compact).unwrap());
        assert_eq!(compact.fingerprint(), whole.fingerprint(), "{}", case.name);
        assert_eq!(compact.instance_url(), None, "{}", case.name);
    }
}

#[test]
fn texts_are_trimmed_and_an_identity_is_handed_on() {
    let mut config = enabled_config();
    config.server_url = " not a url ".to_owned();
    config.identity_public_key = Some(" key ".to_owned());
    config.identity_fingerprint = Some("\tprint\n".to_owned());
    let payload = Onboarding::new(&config, " id ", " token ").with_instance_url(" HTTPS://h ").build().unwrap();
    assert_eq!(
        payload.secret_deep_link(),
        "pulse://connect?auth_token=token&identity_fingerprint=print&identity_public_key=key&instance_id=id\
         &instance_url=HTTPS%3A%2F%2Fh&relay_url=not+a+url&schema=pulse-mobile-onboarding-v1"
    );
    // An app would refuse it, and the operator is told why.
    let [warning] = &payload.diagnostics[..] else { panic!("{:?}", payload.diagnostics) };
    assert_eq!(warning.code, pulse_trust::pairing::DiagnosticCode::PairingCodeRefused);
    assert!(warning.message.contains("relay_url"), "{}", warning.message);
    assert!(!warning.is_error());
}

#[test]
fn json_is_escaped_as_go_does() {
    let config = enabled_config();
    let payload = Onboarding::new(&config, "id", "<&>\u{2028}\"\\\u{1f}\u{7f}é").build().unwrap();
    assert!(
        payload
            .secret_json()
            .expose_secret()
            .contains("\"auth_token\":\"\\u003c\\u0026\\u003e\\u2028\\\"\\\\\\u001f\u{7f}é\"")
    );
    assert!(payload.secret_deep_link().contains("auth_token=%3C%26%3E%E2%80%A8%22%5C%1F%7F%C3%A9&"));
}

#[test]
fn only_https_addresses_are_offered() {
    for (instance_url, is_offered) in [
        ("https://h", true),
        ("HTTPS://h/x", true),
        ("http://h", false),
        ("https:/h", false),
        ("https://", false),
        ("https", false),
        ("javascript:alert(1)//https://h", false),
    ] {
        let config = enabled_config();
        let payload = Onboarding::new(&config, "id", "t").with_instance_url(instance_url).build().unwrap();
        assert_eq!(payload.secret_deep_link().contains("instance_url"), is_offered, "{instance_url}");
        assert_eq!(payload.diagnostics.is_empty(), is_offered, "{instance_url}");
    }
}

fn enabled_config() -> RelayConfig {
    let mut config = RelayConfig::default();
    config.enabled = true;
    config
}
