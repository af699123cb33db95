//! The events of a phone's end, as JSON.

use serde::Serialize;

use super::milliseconds;
use crate::error::Error;
use crate::ffi::json::ErrorText;
use crate::relay::{ErrorMessage, ProxyResponse};
use crate::session::PhoneEvent;

/// An event of a phone as JSON.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum PhoneEventJson {
    Ready,
    Response {
        request: u64,
        #[serde(serialize_with = "crate::json::form::serialize")]
        response: ProxyResponse,
        is_last: bool,
    },
    RequestFailed {
        request: u64,
        reason: &'static str,
    },
    Refused {
        #[serde(serialize_with = "crate::json::form::serialize")]
        error: ErrorMessage,
        advice: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<u64>,
    },
    IdentityRefused {
        error: ErrorText,
    },
    Draining {
        reason: String,
    },
    Disconnected {
        reason: String,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<u64>,
    },
}

impl PhoneEventJson {
    pub(super) fn of(event: PhoneEvent) -> Self {
        let error_text = |error: Error| ErrorText::from(&error);
        match event {
            PhoneEvent::Ready => Self::Ready,
            PhoneEvent::Response { request, response, is_last } => {
                Self::Response { request: request.as_u64(), response, is_last }
            }
            PhoneEvent::RequestFailed { request, reason } => {
                Self::RequestFailed { request: request.as_u64(), reason: reason.as_str() }
            }
            PhoneEvent::Refused { error, advice, retry_at } => {
                Self::Refused { error, advice: advice.as_str(), retry_at: retry_at.map(milliseconds) }
            }
            PhoneEvent::IdentityRefused { error } => Self::IdentityRefused { error: error_text(error) },
            PhoneEvent::Draining { reason } => Self::Draining { reason },
            PhoneEvent::Disconnected { reason, message, retry_at } => {
                Self::Disconnected { reason: reason.as_str().to_owned(), message, retry_at: retry_at.map(milliseconds) }
            }
        }
    }
}
