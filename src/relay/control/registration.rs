//! An instance's registration: REGISTER and REGISTER_ACK.

use super::payload;
use crate::json::{is_no_text, json_struct, or_default, text_or_none};
use crate::relay::identity_proof::IdentityProof;
use crate::secret::Secret;
use crate::time::UnixTime;

json_struct! {
    /// An instance asks to be registered. The first time it sends a credential and, as the hint, the instance secret;
    /// on reconnect it sends a session token and, as the hint, the instance id of the last ACK.
    ///
    /// ```
    /// use pulse_trust::relay::{ControlPayload, Register};
    /// let mut register = Register::new("a license, grant or lease");
    /// register.instance_hint = Some("the instance secret".into());
    /// assert_eq!(Register::from_json(register.secret_json().expose_secret().as_bytes())?, register);
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    #[derive(PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in RegisterJson of "Register")]
    pub struct Register {
        /// **Secret**: the credential: a license, grant or lease.
        #[serde(default, with = "crate::secret::text")]
        pub license_token: Secret,
        /// **Secret**: the session token of the last ACK, on reconnect.
        #[serde(default, with = "crate::secret::text_or_none", skip_serializing_if = "crate::secret::text_or_none::is_left_out")]
        pub session_token: Option<Secret>,
        /// **Secret** at first: the instance secret; on reconnect the instance id.
        #[serde(default, with = "crate::secret::text_or_none", skip_serializing_if = "crate::secret::text_or_none::is_left_out")]
        pub instance_hint: Option<Secret>,
        /// The runtime's version.
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub client_version: Option<String>,
        /// The identity's public key: any text, opaque to the relay. Older runtimes send none.
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub identity_pub_key: Option<String>,
        /// Proves that this runtime holds the identity's private key; deployed runtimes send none.
        #[serde(default, with = "crate::json::form", skip_serializing_if = "Option::is_none")]
        pub identity_proof: Option<IdentityProof>,
    }
}

payload!(Register, Register, shows client_version identity_pub_key identity_proof);

impl Register {
    /// A first registration with this credential; everything else is left out.
    pub fn new(license_token: impl Into<Secret>) -> Self {
        Self { license_token: license_token.into(), ..Self::default() }
    }
}

json_struct! {
    /// The registration's answer.
    ///
    /// See the example of [`ControlPayload`](crate::relay::ControlPayload).
    #[derive(PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in RegisterAckJson of "RegisterAck")]
    pub struct RegisterAck {
        /// The id under which phones reach the instance.
        #[serde(default, deserialize_with = "or_default")]
        pub instance_id: String,
        /// **Secret**: resumes this registration.
        #[serde(default, with = "crate::secret::text")]
        pub session_token: Secret,
        /// Expiry of the session token; 0 on the wire if it is not given.
        #[serde(default, with = "unless_zero")]
        pub expires_at: Option<UnixTime>,
    }
}

payload!(RegisterAck, RegisterAck, shows instance_id expires_at);

impl RegisterAck {
    /// The answer with these members.
    pub fn new(instance_id: impl Into<String>, session_token: impl Into<Secret>, expires_at: Option<UnixTime>) -> Self {
        Self { instance_id: instance_id.into(), session_token: session_token.into(), expires_at }
    }
}

/// For `#[serde(with)]`: a time that is 0 where there is none; `null` counts as 0.
mod unless_zero {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::time::UnixTime;

    pub(super) fn serialize<S: Serializer>(time: &Option<UnixTime>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.map_or(0, UnixTime::as_secs))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixTime>, D::Error> {
        let seconds = Option::<i64>::deserialize(deserializer)?;
        Ok(seconds.filter(|seconds| *seconds != 0).map(UnixTime::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::ControlPayload;

    #[test]
    fn an_expiry_that_is_not_given_is_0_on_the_wire() {
        for (written, seconds) in [("0", None), ("null", None), ("-5", Some(-5)), ("7", Some(7))] {
            let ack = RegisterAck::from_json(format!(r#"{{"expires_at":{written}}}"#).as_bytes()).unwrap();
            assert_eq!(ack, RegisterAck::new("", "", seconds.map(UnixTime::from_secs)), "{written}");
            let expected = format!(r#"{{"instance_id":"","session_token":"","expires_at":{}}}"#, seconds.unwrap_or(0));
            assert_eq!(ack.secret_json().expose_secret(), expected);
        }
        assert_eq!(RegisterAck::from_json(b"{}").unwrap(), RegisterAck::default());
        assert!(RegisterAck::from_json(br#"{"expires_at":"7"}"#).is_err());
    }

    #[test]
    fn an_empty_text_is_none_where_it_may_be_left_out() {
        let empty =
            r#"{"license_token":"","session_token":"","instance_hint":"","client_version":"","identity_pub_key":""}"#;
        for written in [empty, &empty.replace(r#":"""#, ":null"), "{}"] {
            assert_eq!(Register::from_json(written.as_bytes()).unwrap(), Register::default(), "{written}");
        }
        let (secret, text) = (|| Some("".into()), || Some(String::new()));
        let register = Register {
            session_token: secret(),
            instance_hint: secret(),
            client_version: text(),
            identity_pub_key: text(),
            ..Register::default()
        };
        assert_eq!(register.secret_json().expose_secret(), r#"{"license_token":""}"#);
    }

    #[test]
    fn a_proof_without_a_time_is_of_1970() {
        for (proof, seconds) in [("{}", 0), (r#"{"at":null}"#, 0), (r#"{"at":-7}"#, -7)] {
            let register = Register::from_json(format!(r#"{{"identity_proof":{proof}}}"#).as_bytes()).unwrap();
            assert_eq!(register.identity_proof.unwrap().at, UnixTime::from_secs(seconds), "{proof}");
        }
        assert!(Register::from_json(br#"{"identity_proof":{"at":"7"}}"#).is_err());
    }
}
