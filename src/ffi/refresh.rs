//! A lease that is refreshed while the runtime runs

use core::ffi::c_char;

use serde::Serialize;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, bytes, call, text};
use super::data_dir::{directory_and_org, pulse_data_dir};
use super::fault::{Fault, pulse_error, pulse_status};
use super::hosted::pulse_runtime;
use super::json::{self, warning_texts};
use super::keys::pulse_trust_keys;
use crate::entitlement::{RefreshOutcome, RefreshRequest};
use crate::hosted::{RefreshSaved, clear_lost_lease, lease_refresh, save_refreshed_lease};
use crate::secret::Secret;
use crate::time::UnixTime;

/// What is needed to refresh the lease of an organization (`default` for a hosted tenant): **secret** JSON with `org_id`, `instance_host`, `refresh_token`
/// and `expires_at`, which is the member `refresh` of the settings of `pulse_session_new_instance`; `null` if the
/// billing state holds no refresh token. A runtime without a session posts the first three as `org_id`, `instance_host`
/// and `entitlement_refresh_token`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_lease_refresh_load(
    data_dir: *const pulse_data_dir,
    runtime: *const pulse_runtime,
    org: *const c_char,
    org_len: usize,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let runtime = borrow(runtime, "runtime")?.runtime();
            let (data_dir, org) = directory_and_org(data_dir, org, org_len)?;
            let billing = data_dir.with_lock(|locked| Ok(locked.billing_state(org)?))?.value;
            let refresh = match &billing {
                Some(billing) => lease_refresh(billing, runtime, org, UnixTime::from_secs(now))?,
                None => None,
            };
            json::buffer(&refresh.as_ref().map(|refresh| refresh.secret_members()))
        })
    }
}

/// Saves the lease of an event `lease_refreshed`, or of `pulse_lease_refresh_answer`, in place of the one in the organization's
/// billing state. It is verified once more, and must be for the same host. `refresh_token` is the one that was asked with:
/// that of the event, or of `pulse_lease_refresh_load`. Returns JSON with `superseded` and `warnings`. `superseded` says that
/// the state no longer holds that token, so nothing was changed: the control plane has issued another lease meanwhile, or
/// somebody has cleared this one. Then make a new session with what `pulse_registration_credential` and
/// `pulse_lease_refresh_load` return.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_refreshed_lease_save(
    data_dir: *const pulse_data_dir,
    runtime: *const pulse_runtime,
    org: *const c_char,
    org_len: usize,
    refresh_token: *const c_char,
    refresh_token_len: usize,
    token: *const c_char,
    token_len: usize,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let runtime = borrow(runtime, "runtime")?.runtime();
            let (data_dir, org) = directory_and_org(data_dir, org, org_len)?;
            let refresh_token = Secret::from(text(refresh_token, refresh_token_len, "refresh_token")?);
            let token = text(token, token_len, "token")?;
            let now = UnixTime::from_secs(now);
            let saved = data_dir
                .with_lock(|locked| Ok(save_refreshed_lease(locked, runtime, org, &refresh_token, token, now)?))?;
            json::buffer(&RefreshReport::from(&saved))
        })
    }
}

/// Clears the lease and the refresh token of the organization's billing state and saves the state `expired`, after an event
/// `lease_lost` or a final answer: the control plane has refused `refresh_token` for good. A state that holds another token has another
/// lease, which stays. Returns JSON with `superseded` and `warnings`, as `pulse_refreshed_lease_save`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_lost_lease_clear(
    data_dir: *const pulse_data_dir,
    org: *const c_char,
    org_len: usize,
    refresh_token: *const c_char,
    refresh_token_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let (data_dir, org) = directory_and_org(data_dir, org, org_len)?;
            let refresh_token = Secret::from(text(refresh_token, refresh_token_len, "refresh_token")?);
            let saved = data_dir.with_lock(|locked| Ok(clear_lost_lease(locked, org, &refresh_token)?))?;
            json::buffer(&RefreshReport::from(&saved))
        })
    }
}

/// What the control plane has answered to a refresh, for a runtime that asks without a session: its HTTP status and its
/// body. The new lease is verified against the host and the organization that were asked for. Returns **secret** JSON
/// with `outcome` and `token`: `refreshed`, with the lease in `token`; `final`, after which `pulse_lost_lease_clear` is
/// called; `retry`, after `pulse_refresh_backoff_ms`. A 200 whose body holds no lease that verifies is an error, after
/// which it is tried again too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_lease_refresh_answer(
    keys: *const pulse_trust_keys,
    org: *const c_char,
    org_len: usize,
    instance_host: *const c_char,
    instance_host_len: usize,
    http_status: u32,
    body: *const u8,
    body_len: usize,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let keys = &borrow(keys, "keys")?.keys;
            let org = text(org, org_len, "org")?;
            let instance_host = text(instance_host, instance_host_len, "instance_host")?;
            let body = bytes(body, body_len, "body")?;
            let mut token = None;
            let outcome = match RefreshOutcome::from_status(self::http_status(http_status, "http_status")?) {
                RefreshOutcome::Refreshed => {
                    let request = RefreshRequest::new(org, instance_host, "");
                    token = Some(request.accept(body, keys, UnixTime::from_secs(now))?.0);
                    "refreshed"
                }
                RefreshOutcome::Final => "final",
                RefreshOutcome::Retry => "retry",
            };
            json::buffer(&RefreshAnswer { outcome, token: token.as_ref().map(Secret::expose_secret) })
        })
    }
}

/// The status that a parameter holds.
pub(super) fn http_status(status: u32, parameter: &'static str) -> Result<u16, Fault> {
    u16::try_from(status).map_err(|_| Fault::Argument(parameter, "expected an HTTP status"))
}

#[derive(Serialize)]
struct RefreshAnswer<'a> {
    outcome: &'static str,
    token: Option<&'a str>,
}

#[derive(Serialize)]
struct RefreshReport {
    superseded: bool,
    warnings: Vec<String>,
}

impl From<&RefreshSaved> for RefreshReport {
    fn from(saved: &RefreshSaved) -> Self {
        Self { superseded: saved.superseded, warnings: warning_texts(&saved.warnings) }
    }
}
