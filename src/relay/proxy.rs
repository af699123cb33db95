//! Requests and responses inside DATA frames, as the channel seals them
//! ([formats: frames](crate::_documentation::formats#frames)).

use core::fmt;
use std::collections::BTreeMap;

use serde::{Deserializer, Serializer};

use super::control::is_false;
use crate::encoding;
use crate::error::{Error, Result};
use crate::json::{self, Json, ReadJson, WriteJson, json_struct, or_default};

/// The longest body, in bytes before base64.
pub const MAX_BODY_LEN: usize = 48_128;
/// What base64 makes of the longest body, in characters.
const MAX_BODY_TEXT_LEN: usize = MAX_BODY_LEN.div_ceil(3) * 4;

json_struct! {
    /// The app's request to the instance.
    ///
    /// ```
    /// use pulse_trust::relay::ProxyRequest;
    ///
    /// let request = ProxyRequest::new("1", "GET", "/api/status");
    /// assert_eq!(request.to_json(), r#"{"id":"1","method":"GET","path":"/api/status"}"#);
    /// ```
    #[derive(Clone, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in ProxyRequestJson of "ProxyRequest")]
    pub struct ProxyRequest {
        /// Names the request; the response bears it too.
        pub id: String,
        /// HTTP method.
        pub method: String,
        /// Path and query.
        pub path: String,
        /// Headers, sorted by name.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
        pub headers: BTreeMap<String, String>,
        /// The body.
        #[serde(default, with = "crate::json::form", skip_serializing_if = "Body::is_empty")]
        pub body: Body,
    }
}

json_struct! {
    /// What the instance answers.
    ///
    /// See the example of [`ProxyRequest`].
    #[derive(Clone, PartialEq, Eq, Default)]
    #[form(Serialize, Deserialize in ProxyResponseJson of "ProxyResponse")]
    pub struct ProxyResponse {
        /// The request's id.
        pub id: String,
        /// HTTP status.
        pub status: u16,
        /// Headers, sorted by name.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
        pub headers: BTreeMap<String, String>,
        /// The body, or a piece of it.
        #[serde(default, with = "crate::json::form", skip_serializing_if = "Body::is_empty")]
        pub body: Body,
        /// More pieces follow.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
        pub stream: bool,
        /// This is the last piece.
        #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
        pub stream_done: bool,
    }
}

/// A body of at most [`MAX_BODY_LEN`] bytes; base64 on the wire.
///
/// ```
/// use pulse_trust::relay::{Body, MAX_BODY_LEN};
/// assert_eq!(Body::new(b"ok".to_vec())?.as_bytes(), b"ok");
/// assert!(Body::new(vec![0; MAX_BODY_LEN + 1]).is_err());
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body(Vec<u8>);

impl Body {
    /// A body of these bytes.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`].
    pub fn new(bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() > MAX_BODY_LEN {
            return Err(Error::BodyTooLarge { limit: MAX_BODY_LEN, received: bytes.len() });
        }
        Ok(Self(bytes))
    }

    /// A body that is written as base64, with padding.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`]; [`Error::ControlPayload`] for what is not base64.
    pub(crate) fn from_base64(text: &str) -> Result<Self> {
        if text.len() > MAX_BODY_TEXT_LEN {
            return Err(Error::BodyTooLarge {
                limit: MAX_BODY_LEN,
                received: text.len().div_ceil(4).saturating_mul(3),
            });
        }
        let not_base64 = || Error::ControlPayload { frame: "body", reason: "expected base64 with padding".to_owned() };
        Self::new(encoding::base64_decode(text).ok_or_else(not_base64)?)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(feature = "capi")]
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

macro_rules! proxy_message {
    ($name:ident, $what:literal, shows $($shown:ident)*) => {
        impl $name {
            /// The message's compact JSON, to be sealed.
            pub fn to_json(&self) -> String {
                json::text_of(&Json(self))
            }

            /// Reads an opened message.
            ///
            /// # Errors
            /// [`Error::ControlPayload`], also for a body over the limit.
            pub fn from_json(text: &[u8]) -> Result<Self> {
                json::value_from_bytes(text).map_err(|error| refused($what, &error))
            }
        }

        /// Shows neither headers nor body.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        }
    };
}

impl ProxyRequest {
    /// A request without headers and body.
    pub fn new(id: impl Into<String>, method: impl Into<String>, path: impl Into<String>) -> Self {
        Self { id: id.into(), method: method.into(), path: path.into(), ..Self::default() }
    }
}

impl ProxyResponse {
    /// A whole response without headers and body.
    pub fn new(id: impl Into<String>, status: u16) -> Self {
        Self { id: id.into(), status, ..Self::default() }
    }
}

proxy_message!(ProxyRequest, "DATA request", shows id method path);
proxy_message!(ProxyResponse, "DATA response", shows id status stream stream_done);

impl WriteJson for Body {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encoding::base64_encode(&self.0))
    }
}

impl<'de> ReadJson<'de> for Body {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::read_text(deserializer, "base64", Self::from_base64)
    }
}

fn refused(frame: &'static str, error: &serde_json::Error) -> Error {
    Error::ControlPayload { frame, reason: format!("refused at line {} column {}", error.line(), error.column()) }
}
