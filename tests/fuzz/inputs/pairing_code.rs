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
        // A short token may be part of a member's name, and a code may repeat its token in members that are not secret.
        let token = code.secret_auth_token();
        let identity = code.identity().map(|identity| identity.to_base64()).unwrap_or_default();
        let others = [
            code.relay_url(),
            code.instance_id(),
            code.instance_url().unwrap_or(""),
            code.name().unwrap_or(""),
            &identity,
        ];
        assert!(
            !format!("{code:?}").contains(token)
                || token.len() < 16
                || others.iter().any(|other| other.contains(token))
        );
    }
}
