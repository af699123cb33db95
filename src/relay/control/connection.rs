//! A phone's path to an instance: CONNECT, CONNECT_ACK, CHANNEL_OPEN and CHANNEL_CLOSE.

use super::payload;
use crate::json::{is_no_text, json_struct, or_default, text_or_none};
use crate::secret::Secret;

json_struct! {
    /// An app asks for an instance.
    ///
    /// See the example of [`ControlPayload`](crate::relay::ControlPayload).
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
        #[serde(default, with = "crate::secret::text_or_none", skip_serializing_if = "crate::secret::text_or_none::is_left_out")]
        pub device_token: Option<Secret>,
        /// `ios` or `android`.
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub platform: Option<String>,
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
    /// See the example of [`ControlPayload`](crate::relay::ControlPayload).
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
    /// See the example of [`ControlPayload`](crate::relay::ControlPayload).
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
    /// See the example of [`ControlPayload`](crate::relay::ControlPayload).
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
    /// Which notifications an app wants; the whole object or none.
    ///
    /// See the example of [`ControlPayload`](crate::relay::ControlPayload).
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
