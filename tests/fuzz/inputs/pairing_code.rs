//! Any text as a scanned code: what is accepted names a relay that a phone may call, and an identity that fits itself.
use pulse_trust::pairing::{MAX_CODE_LEN, PairingCode};

pub(crate) fn run(input: &[u8]) {
    let Ok(scanned) = std::str::from_utf8(input) else { return };
    if let Ok(code) = PairingCode::parse(scanned) {
        assert!(scanned.len() <= MAX_CODE_LEN);
        assert!(!code.instance_id().is_empty() && !code.secret_auth_token().is_empty());
        let scheme = code.relay_url().split("://").next().unwrap_or_default().to_ascii_lowercase();
        assert!(scheme == "wss" || scheme == "ws", "{}", code.relay_url());
        assert_eq!(code.fingerprint(), code.identity().map(|identity| identity.fingerprint()));
        assert!(!format!("{code:?}").contains(code.secret_auth_token()) || code.secret_auth_token().len() < 8);
    }
}
