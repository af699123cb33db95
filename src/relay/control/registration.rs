//! An instance's registration: REGISTER and REGISTER_ACK.

use super::payload;
use crate::json::{json_struct, or_default};
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
    /// register.instance_hint = "the instance secret".into();
    /// assert_eq!(Register::from_json(register.secret_json().expose_secret().as_bytes())?, register);
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    #[derive(PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in RegisterJson of "Register")]
    pub struct Register {
        /// **Secret**: the credential: a license, grant or lease.
        #[serde(default, with = "crate::secret::text")]
        pub license_token: Secret,
        /// **Secret**: the session token of the last ACK.
        #[serde(default, with = "crate::secret::text", skip_serializing_if = "Secret::is_empty")]
        pub session_token: Secret,
        /// **Secret** at first: the instance secret; on reconnect the instance id.
        #[serde(default, with = "crate::secret::text", skip_serializing_if = "Secret::is_empty")]
        pub instance_hint: Secret,
        /// The runtime's version.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
        pub client_version: String,
        /// The identity's public key: any text, opaque to the relay.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
        pub identity_pub_key: String,
        /// Proves that this runtime holds the identity's private key; deployed runtimes send none.
        #[serde(default, with = "crate::json::form", skip_serializing_if = "Option::is_none")]
        pub identity_proof: Option<IdentityProof>,
    }
}

payload!(Register, Register, shows client_version identity_pub_key identity_proof);

impl Register {
    /// A first registration with this credential; everything else is empty.
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
