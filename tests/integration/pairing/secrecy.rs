//! No token shows in Debug output, a diagnostic or an error.

use pulse_trust::pairing::{ConnectionCheck, Onboarding, PairingCode, check_connection};
use pulse_trust::relay::RelayConfig;

const TOKEN: &str = "SeCrEt";

#[test]
fn debug_output_is_without_the_token() {
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.server_url = "wss://relay.example.test/ws/instance".to_owned();
    let onboarding = Onboarding::new(&config, "relay_1", TOKEN).with_instance_url("https://t.example.test");
    assert_eq!(
        format!("{onboarding:?}"),
        "Onboarding { config: RelayConfig { enabled: true, identity_fingerprint: None, .. }, instance_id: \"relay_1\", .. }"
    );
    let payload = onboarding.build().unwrap();
    assert_eq!(
        format!("{payload:?}"),
        "OnboardingPayload { instance_id: \"relay_1\", relay: RelaySection { enabled: true, url: \
         \"wss://relay.example.test/ws/app\", identity_fingerprint: \"\", identity_public_key: \"\" }, diagnostics: [], \
         .. }"
    );
    let code = PairingCode::parse(payload.secret_deep_link()).unwrap();
    assert_eq!(code.secret_auth_token(), TOKEN);
    assert_eq!(
        format!("{code:?}"),
        "PairingCode { instance_id: \"relay_1\", relay_url: \"wss://relay.example.test/ws/app\", identity: None, \
         instance_url: Some(\"https://t.example.test\"), name: None, .. }"
    );
    let check = ConnectionCheck::new("i", "u", TOKEN);
    let expected = "ConnectionCheck { relay_enabled: false, instance_id: \"i\", relay_url: \"u\", .. }";
    assert_eq!(format!("{check:?}"), expected);
}

#[test]
fn diagnostics_and_errors_are_without_the_token() {
    let check = ConnectionCheck::new("i", "u", TOKEN);
    assert!(!format!("{:?}", check_connection(&check)).contains(TOKEN));
    let config = RelayConfig::default();
    let not_ready = Onboarding::new(&config, "", TOKEN).with_instance_url("http://h").build().unwrap_err();
    assert!(!format!("{not_ready:?} {not_ready}").contains(TOKEN));
    for scanned in [
        format!("pulse://connect?auth_token={TOKEN}&auth_token={TOKEN}"),
        format!("pulse://connect?auth_token={TOKEN}"),
        format!("pulse://connect?auth_token={TOKEN}%zz"),
        format!("pulse://connect?{TOKEN}={TOKEN}&{TOKEN}={TOKEN}"),
        format!("{{\"auth_token\":\"{TOKEN}\",\"relay\":\"{TOKEN}\"}}"),
        format!("{{\"auth_token\":{TOKEN}}}"),
        TOKEN.to_owned(),
    ] {
        let error = PairingCode::parse(&scanned).unwrap_err();
        assert!(!format!("{error:?} {error}").contains(TOKEN), "{error}");
    }
}
