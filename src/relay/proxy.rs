//! Requests and responses inside DATA frames, as the channel seals them
//! ([formats: frames](crate::_documentation::formats#frames)).

use core::fmt;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::control::{is_false, or_default};
use crate::encoding;
use crate::error::{Error, Result};
use crate::json;

/// The longest body, in bytes before base64.
pub const MAX_BODY_LEN: usize = 48_128;
/// What base64 makes of the longest body, in characters.
const MAX_BODY_TEXT_LEN: usize = MAX_BODY_LEN.div_ceil(3) * 4;

/// What the app asks of the instance.
///
/// ```
/// use pulse_trust::relay::ProxyRequest;
///
/// let request = ProxyRequest { id: "1".into(), method: "GET".into(), path: "/api/status".into(), ..Default::default() };
/// assert_eq!(request.to_json()?, r#"{"id":"1","method":"GET","path":"/api/status"}"#);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// What the instance answers.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProxyResponse {
    /// The request's id.
    pub id: String,
    /// HTTP status.
    pub status: u16,
    /// Headers, sorted by name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body, or a piece of it.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
    /// More pieces follow.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub stream: bool,
    /// This is the last piece.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub stream_done: bool,
}

/// A body of at most [`MAX_BODY_LEN`] bytes; base64 on the wire.
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

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
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
            ///
            /// # Errors
            /// None in practice.
            pub fn to_json(&self) -> Result<String> {
                json::to_compact(self).map_err(|error| refused($what, &error))
            }

            /// Reads an opened message.
            ///
            /// # Errors
            /// [`Error::ControlPayload`], also for a body over the limit.
            pub fn from_json(text: &[u8]) -> Result<Self> {
                crate::json::from_bytes(text).map_err(|error| refused($what, &error))
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

proxy_message!(ProxyRequest, "DATA request", shows id method path);
proxy_message!(ProxyResponse, "DATA response", shows id status stream stream_done);

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encoding::base64_encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Option<std::borrow::Cow<'de, str>> = Option::deserialize(deserializer)?;
        let text = text.unwrap_or_default();
        if text.len() > MAX_BODY_TEXT_LEN {
            return Err(serde::de::Error::custom("the body is over the limit"));
        }
        let bytes = encoding::base64_decode(&text).ok_or_else(|| serde::de::Error::custom("the body is not base64"))?;
        Self::new(bytes).map_err(serde::de::Error::custom)
    }
}

fn refused(frame: &'static str, error: &serde_json::Error) -> Error {
    Error::ControlPayload { frame, reason: format!("refused at line {} column {}", error.line(), error.column()) }
}
