//! What a program asks of either end, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ffi::fault::Fault;
use crate::relay::{Body, ProxyResponse, PushNotification};
use crate::secret::Secret;
use crate::session::{InstanceEnd, Now, PhoneEnd, RequestId};

/// What a program can ask of a session: the members of all acts, of which each act uses some. An enum of acts would be
/// equivalent, but this takes a tenth of the code in WebAssembly.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Act {
    pub(super) act: String,
    channel: u32,
    reason: String,
    #[serde(deserialize_with = "crate::json::form::deserialize")]
    response: Option<ProxyResponse>,
    #[serde(deserialize_with = "crate::json::form::deserialize")]
    notification: Option<PushNotification>,
    #[serde(deserialize_with = "crate::secret::text::deserialize")]
    credential: Secret,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
    request: u64,
}

#[derive(Serialize, Default)]
pub(super) struct ActResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<u64>,
}

pub(super) fn act_of_instance(end: &mut InstanceEnd, act: Act, now: Now) -> Result<ActResult, Fault> {
    match act.act.as_str() {
        "accept" => end.accept(act.channel)?,
        "refuse" => end.refuse(act.channel, &act.reason)?,
        "close" => end.close(act.channel, &act.reason)?,
        "respond" => {
            let response = act.response.ok_or(Fault::Argument("act", "expected a member `response`"))?;
            end.respond(act.channel, &response, now)?;
        }
        "push" => {
            let notification = act.notification.ok_or(Fault::Argument("act", "expected a member `notification`"))?;
            end.push(&notification)?;
        }
        "set_credential" => end.set_credential(act.credential, now),
        _ => return Err(Fault::Argument("act", "expected one of the acts of an instance")),
    }
    Ok(ActResult::default())
}

pub(super) fn act_of_phone(end: &mut PhoneEnd, act: Act, now: Now) -> Result<ActResult, Fault> {
    match act.act.as_str() {
        "request" => {
            let request =
                end.request(&act.method, &act.path, act.headers, Body::from_base64(&act.body)?.into_bytes(), now)?;
            Ok(ActResult { request: Some(request.as_u64()) })
        }
        "cancel" => {
            end.cancel(RequestId::from_u64(act.request));
            Ok(ActResult::default())
        }
        _ => Err(Fault::Argument("act", "expected one of the acts of a phone")),
    }
}
