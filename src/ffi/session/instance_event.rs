//! The events of an instance's end, as JSON.

use serde::Serialize;

use super::milliseconds;
use crate::ffi::json::ErrorText;
use crate::relay::{ErrorMessage, ProxyRequest};
use crate::secret::Secret;
use crate::session::{ChannelEnd, InstanceEvent};
use crate::time::UnixTime;

/// An event of an instance as JSON. Moments are in milliseconds on the monotonic clock; `retry_at` is left out if no
/// retry is planned.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum InstanceEventJson {
    Registered {
        instance_id: String,
        resumed: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<i64>,
    },
    Renewed {
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<i64>,
    },
    Refused {
        #[serde(serialize_with = "crate::json::form::serialize")]
        error: ErrorMessage,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<u64>,
    },
    Disconnected {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<u64>,
    },
    Draining {
        reason: String,
    },
    ChannelOffered {
        channel: u32,
        #[serde(with = "crate::secret::text")]
        auth_token: Secret,
    },
    ChannelSecured {
        channel: u32,
    },
    ChannelEnded {
        channel: u32,
        end: &'static str,
        reason: String,
    },
    Request {
        channel: u32,
        #[serde(serialize_with = "crate::json::form::serialize")]
        request: ProxyRequest,
    },
    RelayError {
        channel: u32,
        #[serde(serialize_with = "crate::json::form::serialize")]
        error: ErrorMessage,
    },
    RefreshDue {
        #[serde(with = "crate::secret::text")]
        body: Secret,
    },
    LeaseRefreshed {
        #[serde(with = "crate::secret::text")]
        refresh_token: Secret,
        #[serde(with = "crate::secret::text")]
        token: Secret,
        expires_at: i64,
    },
    RefreshFailed {
        error: ErrorText,
        retry_at: u64,
    },
    LeaseLost {
        #[serde(with = "crate::secret::text")]
        refresh_token: Secret,
        status: u16,
    },
}

impl InstanceEventJson {
    pub(super) fn of(event: InstanceEvent) -> Self {
        let seconds = |time: Option<UnixTime>| time.map(UnixTime::as_secs);
        match event {
            InstanceEvent::Registered { instance_id, resumed, expires_at } => {
                Self::Registered { instance_id, resumed, expires_at: seconds(expires_at) }
            }
            InstanceEvent::Renewed { expires_at } => Self::Renewed { expires_at: seconds(expires_at) },
            InstanceEvent::Refused { error, retry_at } => Self::Refused { error, retry_at: retry_at.map(milliseconds) },
            InstanceEvent::Disconnected { reason, retry_at } => {
                Self::Disconnected { reason: reason.as_str().to_owned(), retry_at: retry_at.map(milliseconds) }
            }
            InstanceEvent::Draining { reason } => Self::Draining { reason },
            InstanceEvent::ChannelOffered { channel, auth_token } => Self::ChannelOffered { channel, auth_token },
            InstanceEvent::ChannelSecured { channel } => Self::ChannelSecured { channel },
            InstanceEvent::ChannelEnded { channel, end } => {
                let (end, reason) = channel_end(end);
                Self::ChannelEnded { channel, end, reason }
            }
            InstanceEvent::Request { channel, request } => Self::Request { channel, request },
            InstanceEvent::RelayError { channel, error } => Self::RelayError { channel, error },
            InstanceEvent::RefreshDue(request) => Self::RefreshDue { body: request.secret_json() },
            InstanceEvent::LeaseRefreshed { refresh_token, token, lease } => {
                Self::LeaseRefreshed { refresh_token, token, expires_at: lease.expires_at().as_secs() }
            }
            InstanceEvent::RefreshFailed { error, retry_at } => {
                Self::RefreshFailed { error: ErrorText::from(&error), retry_at: milliseconds(retry_at) }
            }
            InstanceEvent::LeaseLost { refresh_token, status } => Self::LeaseLost { refresh_token, status },
        }
    }
}

fn channel_end(end: ChannelEnd) -> (&'static str, String) {
    match end {
        ChannelEnd::Closed(reason) => ("closed", reason),
        ChannelEnd::Disconnected => ("disconnected", String::new()),
        ChannelEnd::ProtocolError(error) => ("protocol_error", error.to_string()),
        ChannelEnd::Idle => ("idle", String::new()),
        ChannelEnd::TooSlow => ("too_slow", String::new()),
    }
}
