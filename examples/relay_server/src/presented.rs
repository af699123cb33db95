//! What a refused REGISTER says about itself, for the log. None of it was verified.

use pulse_trust::TokenKind;
use pulse_trust::relay::Register;
use pulse_trust::token::UnverifiedToken;
use serde::Deserialize;

/// The credential's own words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Presented {
    /// The kind of credential; empty if it is none.
    pub(crate) kind: &'static str,
    /// The host of a lease, the installation of a grant, the id of a license.
    pub(crate) subject: String,
    /// The key that is said to have signed it.
    pub(crate) key_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names {
    instance_host: String,
    iid: String,
    lid: String,
}

impl Presented {
    pub(crate) fn by(register: &Register) -> Self {
        if register.session_token.is_some() {
            return Self { kind: "session", ..Self::default() };
        }
        let Ok(token) = UnverifiedToken::parse(register.license_token.expose_secret()) else { return Self::default() };
        let names: Names = serde_json::from_str(token.unverified_payload()).unwrap_or_default();
        let kind = token.unverified_kind().ok();
        let subject = match kind {
            Some(TokenKind::Lease) => names.instance_host,
            Some(TokenKind::Grant) => names.iid,
            Some(_) => names.lid,
            None => String::new(),
        };
        let key_id = token.unverified_key_id().unwrap_or_default().to_owned();
        Self { kind: kind.map_or("", TokenKind::as_str), subject, key_id }
    }
}

#[cfg(test)]
mod tests {
    use pulse_trust::keys::SigningKey;
    use pulse_trust::token::sign_with_key_id;

    use super::*;

    #[test]
    fn a_credential_is_named_in_its_own_words_and_never_shown() {
        let signer = SigningKey::from_seed(&[9; 32]).unwrap();
        for (payload, kind, subject) in [
            (
                r#"{"iss":"pulse-pro-entitlement-lease","instance_host":"t-1.cloud.example.test","jti":"x"}"#,
                "lease",
                "t-1.cloud.example.test",
            ),
            (r#"{"iid":"inst-1","lid":"L-1"}"#, "grant", "inst-1"),
            (r#"{"lid":"L-1"}"#, "license", "L-1"),
            (r#"{"lid":7}"#, "license", ""),
            (r#"{"instance_host":"t-1.cloud.example.test"}"#, "", ""),
        ] {
            let token = sign_with_key_id(&signer, payload).unwrap();
            let presented = Presented::by(&Register::new(token.expose_secret()));
            let key_id = signer.public_key().key_id().to_string();
            assert_eq!(presented, Presented { kind, subject: subject.to_owned(), key_id });
        }
        assert_eq!(Presented::by(&Register::new("no token")), Presented::default());
        let mut resumed = Register::new("");
        resumed.session_token = Some("s".into());
        assert_eq!(Presented::by(&resumed).kind, "session");
    }
}
