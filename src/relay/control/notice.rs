//! Messages that only inform: ERROR, DRAIN and PUSH_NOTIFICATION.

use super::payload;
use crate::json::{is_no_text, json_struct, or_default, text_or_none};
use crate::wire_error::WireErrorCode;

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
    /// The relay is going down.
    ///
    /// See the example of [`ControlPayload`](crate::relay::ControlPayload).
    #[derive(Clone, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in DrainJson of "Drain")]
    pub struct Drain {
        /// Why.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
        pub reason: String,
        /// Where to connect instead.
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub reconn_url: Option<String>,
    }
}

payload!(Drain, Drain, shows reason reconn_url);

impl Drain {
    /// Says why the relay goes down, which may be empty, and where to connect instead.
    pub fn new(reason: impl Into<String>, reconn_url: Option<String>) -> Self {
        Self { reason: reason.into(), reconn_url }
    }
}

json_struct! {
    /// A notification to the instance's phones.
    ///
    /// ```
    /// use pulse_trust::relay::{ControlPayload, PushNotification};
    /// let mut push = PushNotification::default();
    /// push.kind = "alert".to_owned();
    /// assert_eq!(push.secret_json().expose_secret(), r#"{"type":"alert","priority":"","title":"","body":""}"#);
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
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub instance_id: Option<String>,
        /// What a tap does.
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub action_type: Option<String>,
        /// What the action applies to.
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub action_id: Option<String>,
        /// Its category.
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub category: Option<String>,
        /// Its severity.
        #[serde(default, deserialize_with = "text_or_none", skip_serializing_if = "is_no_text")]
        pub severity: Option<String>,
    }
}

payload!(PushNotification, PushNotification, shows kind priority instance_id category severity);
