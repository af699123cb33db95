//! A lease that is refreshed while the runtime runs
//!
//! `pulse_lease_refresh_load` returns what an instance's session needs to refresh its lease. Its event
//! `lease_refreshed` is saved by `pulse_refreshed_lease_save`, and `lease_lost` by `pulse_lost_lease_clear`.

use core::ffi::c_char;

use serde::Serialize;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, text};
use super::data_dir::pulse_data_dir;
use super::fault::{pulse_error, pulse_status};
use super::hosted::pulse_runtime;
use super::json::{self, warning_texts};
use crate::hosted::{DEFAULT_ORG, clear_lost_lease, lease_refresh, save_refreshed_lease};
use crate::time::UnixTime;
use crate::warning::Warning;

/// What is needed to refresh the lease of a directory: **secret** JSON with `org_id`, `instance_host`, `refresh_token`
/// and `expires_at`, which is the member `refresh` of the settings of `pulse_session_new_instance`; `null` if the
/// billing state holds no refresh token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_lease_refresh_load(
    data_dir: *const pulse_data_dir,
    runtime: *const pulse_runtime,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let runtime = borrow(runtime, "runtime")?.runtime();
            let data_dir = borrow(data_dir, "data_dir")?;
            let billing = data_dir.with_lock(|locked| Ok(locked.billing_state(DEFAULT_ORG)?))?.value;
            let refresh = match &billing {
                Some(billing) => lease_refresh(billing, runtime, UnixTime::from_secs(now))?,
                None => None,
            };
            json::buffer(&refresh.as_ref().map(|refresh| refresh.secret_members()))
        })
    }
}

/// Verifies a refreshed lease once more, and saves it in place of the one in the billing state. A state that no longer
/// holds a lease is left unchanged, with `PULSE_ERR_NO_LEASE`. Returns JSON with `warnings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_refreshed_lease_save(
    data_dir: *const pulse_data_dir,
    runtime: *const pulse_runtime,
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
            let data_dir = borrow(data_dir, "data_dir")?;
            let token = text(token, token_len, "token")?;
            let now = UnixTime::from_secs(now);
            let warnings = data_dir.with_lock(|locked| Ok(save_refreshed_lease(locked, runtime, token, now)?))?;
            json::buffer(&RefreshSaved::from(warnings.as_slice()))
        })
    }
}

/// Clears the lease and the refresh token of the billing state and saves the state `expired`, after the control plane
/// has refused for good. A state that no longer holds a lease is left unchanged, with `PULSE_ERR_NO_LEASE`. Returns
/// JSON with `warnings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_lost_lease_clear(
    data_dir: *const pulse_data_dir,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let data_dir = borrow(data_dir, "data_dir")?;
            let warnings = data_dir.with_lock(|locked| Ok(clear_lost_lease(locked)?))?;
            json::buffer(&RefreshSaved::from(warnings.as_slice()))
        })
    }
}

#[derive(Serialize)]
struct RefreshSaved {
    warnings: Vec<String>,
}

impl From<&[Warning]> for RefreshSaved {
    fn from(warnings: &[Warning]) -> Self {
        Self { warnings: warning_texts(warnings) }
    }
}
