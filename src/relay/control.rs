//! The JSON payloads of control frames ([formats: frames](crate::_documentation::formats#frames)): compact, members in
//! this order, with Go's escaping.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::WireErrorCode;
use super::frame::{Frame, FrameType};
use super::identity_proof::IdentityProof;
use crate::error::{Error, Result};
use crate::json;
use crate::secret::Secret;

/// A control payload: one type of frame, one JSON object. Readers ignore members they do not know and take `null` for
/// absent, as the deployed ones do.
/// The payloads are those of this crate: no other type can be one.
pub trait ControlPayload: sealed::Json {
    /// The type of the frame that carries it.
    const FRAME_TYPE: FrameType;

    /// The payload's JSON. For REGISTER, REGISTER_ACK, CONNECT and CHANNEL_OPEN it holds a secret.
    ///
    /// # Errors
    /// None in practice.
    fn to_json(&self) -> Result<String> {
        json::to_compact(self).map_err(|error| refused(Self::FRAME_TYPE, &error))
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`Error::ControlPayload`].
    fn from_json(payload: &[u8]) -> Result<Self> {
        json::from_bytes(payload).map_err(|error| refused(Self::FRAME_TYPE, &error))
    }

    /// The whole frame.
    ///
    /// # Errors
    /// [`Error::FrameTooLarge`].
    fn to_frame(&self, channel: u32) -> Result<Vec<u8>> {
        Frame::new(Self::FRAME_TYPE, channel, self.to_json()?.as_bytes()).encode()
    }

    /// Reads a frame of this type.
    ///
    /// # Errors
    /// [`Error::ControlPayload`], also for a frame of another type.
    fn from_frame(frame: &Frame<'_>) -> Result<Self> {
        if frame.frame_type != Self::FRAME_TYPE {
            let reason = format!("the frame is a {}", frame.frame_type);
            return Err(Error::ControlPayload { frame: Self::FRAME_TYPE.name(), reason });
        }
        Self::from_json(frame.payload)
    }
}

/// How a payload is read and written. Sealed, so that serde is no part of the public trait.
mod sealed {
    #[allow(unreachable_pub, reason = "a supertrait of a public trait")]
    pub trait Json: serde::Serialize + serde::de::DeserializeOwned {}
}

/// The position alone: serde's own text may quote the payload.
fn refused(frame: FrameType, error: &serde_json::Error) -> Error {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a member is missing or of the wrong type",
        _ => "not one JSON object",
    };
    let reason = format!("{what}, at line {} column {}", error.line(), error.column());
    Error::ControlPayload { frame: frame.name(), reason }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}

/// `null` is as if the member were absent.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Option::<json::Object<T>>::deserialize(deserializer)?;
    Ok(value.map(|value| value.0).unwrap_or_default())
}

/// The frame type of a payload, and a Debug output of the members that are not secret.
macro_rules! payload {
    ($name:ident, $frame_type:ident, shows $($shown:ident)*) => {
        impl ControlPayload for $name {
            const FRAME_TYPE: FrameType = FrameType::$frame_type;
        }

        impl sealed::Json for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        }
    };
}

/// An instance asks to be registered. First time: a credential and, as hint, the instance secret; on reconnect: a
/// session token and, as hint, the instance id of the last ACK.
#[derive(PartialEq, Eq, Default, Serialize, Deserialize)]
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
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Option::is_none")]
    pub identity_proof: Option<IdentityProof>,
}

payload!(Register, Register, shows client_version identity_pub_key identity_proof);

/// The registration's answer.
#[derive(PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RegisterAck {
    /// The id under which phones reach the instance.
    #[serde(default, deserialize_with = "or_default")]
    pub instance_id: String,
    /// **Secret**: resumes this registration.
    #[serde(default, with = "crate::secret::text")]
    pub session_token: Secret,
    /// Expiry of the session token, Unix seconds.
    #[serde(default, deserialize_with = "or_default")]
    pub expires_at: i64,
}

payload!(RegisterAck, RegisterAck, shows instance_id expires_at);

/// An app asks for an instance.
#[derive(PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Connect {
    /// The instance.
    #[serde(default, deserialize_with = "or_default")]
    pub instance_id: String,
    /// **Secret**: what the instance knows the app by.
    #[serde(default, with = "crate::secret::text")]
    pub auth_token: Secret,
    /// **Secret**: where notifications are sent.
    #[serde(default, with = "crate::secret::text", skip_serializing_if = "Secret::is_empty")]
    pub device_token: Secret,
    /// `ios` or `android`.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub platform: String,
    /// Which notifications are wanted.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Option::is_none")]
    pub notification_preferences: Option<NotificationPreferences>,
}

payload!(Connect, Connect, shows instance_id platform notification_preferences);

/// The app is connected.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConnectAck {
    /// Its channel.
    #[serde(default, deserialize_with = "or_default")]
    pub channel_id: u32,
    /// The instance.
    #[serde(default, deserialize_with = "or_default")]
    pub instance_id: String,
}

payload!(ConnectAck, ConnectAck, shows channel_id instance_id);

/// A channel is offered to the instance, which echoes it to accept.
#[derive(PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelOpen {
    /// The channel, chosen by the relay.
    #[serde(default, deserialize_with = "or_default")]
    pub channel_id: u32,
    /// **Secret**: what the app presented.
    #[serde(default, with = "crate::secret::text")]
    pub auth_token: Secret,
}

payload!(ChannelOpen, ChannelOpen, shows channel_id);

/// A channel is closed.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelClose {
    /// The channel.
    #[serde(default, deserialize_with = "or_default")]
    pub channel_id: u32,
    /// Why.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

payload!(ChannelClose, ChannelClose, shows channel_id reason);

/// Something was refused.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// One of [`WireErrorCode`], or one we do not know yet.
    #[serde(default, deserialize_with = "or_default")]
    pub code: String,
    /// Which claim or setting, in words.
    #[serde(default, deserialize_with = "or_default")]
    pub message: String,
}

payload!(ErrorMessage, Error, shows code message);

/// The relay is going down.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Drain {
    /// Why.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Where to connect instead.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub reconn_url: String,
}

payload!(Drain, Drain, shows reason reconn_url);

/// A notification to the instance's phones.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PushNotification {
    /// What it is about.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    /// `high` or `normal`.
    #[serde(default, deserialize_with = "or_default")]
    pub priority: String,
    /// Its title.
    #[serde(default, deserialize_with = "or_default")]
    pub title: String,
    /// Its text.
    #[serde(default, deserialize_with = "or_default")]
    pub body: String,
    /// The instance.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub instance_id: String,
    /// What a tap does.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub action_type: String,
    /// To what.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub action_id: String,
    /// Its category.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// Its severity.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub severity: String,
}

payload!(PushNotification, PushNotification, shows kind priority instance_id category severity);

impl ErrorMessage {
    /// An error with one of the known codes.
    pub fn new(code: WireErrorCode, message: impl Into<String>) -> Self {
        Self { code: code.as_str().to_owned(), message: message.into() }
    }

    /// The code, where it is one we know.
    pub fn wire_code(&self) -> Option<WireErrorCode> {
        WireErrorCode::from_name(&self.code)
    }
}

/// Which notifications an app wants; the whole object or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NotificationPreferences {
    /// Critical alerts.
    pub critical_enabled: bool,
    /// Warnings.
    pub warning_enabled: bool,
    /// Requests for approval.
    pub approval_enabled: bool,
    /// Results of fixes.
    pub fix_result_enabled: bool,
}
