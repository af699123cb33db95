//! The JSON payloads of control frames ([formats: frames](crate::_documentation::formats#frames)): compact, members in
//! this order, with Go's escaping.

use core::fmt;

use serde::{Deserialize, Deserializer};

use super::WireErrorCode;
use super::frame::{Frame, FrameType};
use super::identity_proof::IdentityProof;
use crate::error::{Error, Result};
use crate::json::{self, Json, json_struct};
use crate::secret::Secret;

/// A control payload: one type of frame, one JSON object. Readers ignore members they do not know and take `null` for
/// absent, as the deployed ones do.
/// The payloads are those of this crate: no other type can be one.
///
/// ```
/// use pulse_trust::relay::{ChannelClose, ControlPayload, Frame};
/// let frame = ChannelClose::new(7, "bye").to_frame(7)?;
/// let read = ChannelClose::from_frame(&Frame::decode(&frame)?)?;
/// assert_eq!(read, ChannelClose::new(7, "bye"));
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub trait ControlPayload: sealed::Sealed {
    /// The type of the frame that carries it.
    const FRAME_TYPE: FrameType;

    /// The payload's JSON. For REGISTER, REGISTER_ACK, CONNECT and CHANNEL_OPEN it holds a secret.
    ///
    /// # Errors
    /// None in practice.
    fn to_json(&self) -> Result<String>;

    /// Reads a payload.
    ///
    /// # Errors
    /// [`Error::ControlPayload`].
    fn from_json(payload: &[u8]) -> Result<Self>;

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

mod sealed {
    #[allow(unreachable_pub, reason = "a supertrait of a public trait")]
    pub trait Sealed: Sized {}
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

/// The frame type of a payload, its JSON, and a Debug output of the members that are not secret.
macro_rules! payload {
    ($name:ident, $frame_type:ident, shows $($shown:ident)*) => {
        impl ControlPayload for $name {
            const FRAME_TYPE: FrameType = FrameType::$frame_type;

            fn to_json(&self) -> Result<String> {
                json::to_compact(&Json(self)).map_err(|error| refused(Self::FRAME_TYPE, &error))
            }

            fn from_json(payload: &[u8]) -> Result<Self> {
                json::value_from_bytes(payload).map_err(|error| refused(Self::FRAME_TYPE, &error))
            }
        }

        impl sealed::Sealed for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        }
    };
}

json_struct! {
    /// An instance asks to be registered. First time: a credential and, as hint, the instance secret; on reconnect: a
    /// session token and, as hint, the instance id of the last ACK.
    ///
    /// ```
    /// use pulse_trust::relay::{ControlPayload, Register};
    /// let mut register = Register::new("a license, grant or lease");
    /// register.instance_hint = "the instance secret".into();
    /// assert_eq!(Register::from_json(register.to_json()?.as_bytes())?, register);
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
    /// See the example of [`ControlPayload`].
    #[derive(PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in RegisterAckJson of "RegisterAck")]
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
}

payload!(RegisterAck, RegisterAck, shows instance_id expires_at);

impl RegisterAck {
    /// The answer with these members.
    pub fn new(instance_id: impl Into<String>, session_token: impl Into<Secret>, expires_at: i64) -> Self {
        Self { instance_id: instance_id.into(), session_token: session_token.into(), expires_at }
    }
}

json_struct! {
    /// An app asks for an instance.
    ///
    /// See the example of [`ControlPayload`].
    #[derive(PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in ConnectJson of "Connect")]
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
        #[serde(default, with = "crate::json::form", skip_serializing_if = "Option::is_none")]
        pub notification_preferences: Option<NotificationPreferences>,
    }
}

payload!(Connect, Connect, shows instance_id platform notification_preferences);

impl Connect {
    /// Asks for this instance with this token, and for no notifications.
    pub fn new(instance_id: impl Into<String>, auth_token: impl Into<Secret>) -> Self {
        Self { instance_id: instance_id.into(), auth_token: auth_token.into(), ..Self::default() }
    }
}

json_struct! {
    /// The app is connected.
    ///
    /// See the example of [`ControlPayload`].
    #[derive(Clone, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in ConnectAckJson of "ConnectAck")]
    pub struct ConnectAck {
        /// Its channel.
        #[serde(default, deserialize_with = "or_default")]
        pub channel_id: u32,
        /// The instance.
        #[serde(default, deserialize_with = "or_default")]
        pub instance_id: String,
    }
}

payload!(ConnectAck, ConnectAck, shows channel_id instance_id);

impl ConnectAck {
    /// The app's channel to this instance.
    pub fn new(channel_id: u32, instance_id: impl Into<String>) -> Self {
        Self { channel_id, instance_id: instance_id.into() }
    }
}

json_struct! {
    /// A channel is offered to the instance, which echoes it to accept.
    ///
    /// See the example of [`ControlPayload`].
    #[derive(PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in ChannelOpenJson of "ChannelOpen")]
    pub struct ChannelOpen {
        /// The channel, chosen by the relay.
        #[serde(default, deserialize_with = "or_default")]
        pub channel_id: u32,
        /// **Secret**: what the app presented.
        #[serde(default, with = "crate::secret::text")]
        pub auth_token: Secret,
    }
}

payload!(ChannelOpen, ChannelOpen, shows channel_id);

impl ChannelOpen {
    /// Offers a channel of an app that presented this token.
    pub fn new(channel_id: u32, auth_token: impl Into<Secret>) -> Self {
        Self { channel_id, auth_token: auth_token.into() }
    }
}

json_struct! {
    /// A channel is closed.
    ///
    /// See the example of [`ControlPayload`].
    #[derive(Clone, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in ChannelCloseJson of "ChannelClose")]
    pub struct ChannelClose {
        /// The channel.
        #[serde(default, deserialize_with = "or_default")]
        pub channel_id: u32,
        /// Why.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
        pub reason: String,
    }
}

payload!(ChannelClose, ChannelClose, shows channel_id reason);

impl ChannelClose {
    /// Closes a channel for this reason, which may be empty.
    pub fn new(channel_id: u32, reason: impl Into<String>) -> Self {
        Self { channel_id, reason: reason.into() }
    }
}

json_struct! {
    /// Something was refused.
    ///
    /// ```
    /// use pulse_trust::relay::{ErrorMessage, WireErrorCode};
    /// let error = ErrorMessage::new(WireErrorCode::RateLimited, "wait a minute");
    /// assert_eq!((error.code.as_str(), error.wire_code()), ("RATE_LIMITED", Some(WireErrorCode::RateLimited)));
    /// ```
    #[derive(Clone, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in ErrorMessageJson of "ErrorMessage")]
    pub struct ErrorMessage {
        /// One of [`WireErrorCode`], or one we do not know yet.
        #[serde(default, deserialize_with = "or_default")]
        pub code: String,
        /// Which claim or setting, in words.
        #[serde(default, deserialize_with = "or_default")]
        pub message: String,
    }
}

payload!(ErrorMessage, Error, shows code message);

json_struct! {
    /// The relay is going down.
    ///
    /// See the example of [`ControlPayload`].
    #[derive(Clone, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in DrainJson of "Drain")]
    pub struct Drain {
        /// Why.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
        pub reason: String,
        /// Where to connect instead.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
        pub reconn_url: String,
    }
}

payload!(Drain, Drain, shows reason reconn_url);

impl Drain {
    /// Says why the relay goes down, and where to connect instead; either may be empty.
    pub fn new(reason: impl Into<String>, reconn_url: impl Into<String>) -> Self {
        Self { reason: reason.into(), reconn_url: reconn_url.into() }
    }
}

json_struct! {
    /// A notification to the instance's phones.
    ///
    /// ```
    /// use pulse_trust::relay::{ControlPayload, PushNotification};
    /// let mut push = PushNotification::default();
    /// push.kind = "alert".to_owned();
    /// assert_eq!(push.to_json()?, r#"{"type":"alert","priority":"","title":"","body":""}"#);
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    #[derive(Clone, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in PushNotificationJson of "PushNotification")]
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

json_struct! {
    /// Which notifications an app wants; the whole object or none.
    ///
    /// See the example of [`ControlPayload`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in NotificationPreferencesJson of "NotificationPreferences")]
    pub struct NotificationPreferences {
        /// Critical alerts.
        #[serde(default)]
        pub critical_enabled: bool,
        /// Warnings.
        #[serde(default)]
        pub warning_enabled: bool,
        /// Requests for approval.
        #[serde(default)]
        pub approval_enabled: bool,
        /// Results of fixes.
        #[serde(default)]
        pub fix_result_enabled: bool,
    }
}
