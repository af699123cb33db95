//! The billing state of an organization, as the file has it

use core::ffi::c_char;

use serde::Serialize;

use super::buffer::pulse_buffer;
use super::call::{Out, call, text};
use super::data_dir::{directory_and_org, pulse_data_dir};
use super::fault::{pulse_error, pulse_status};
use super::json::{self, warning_texts};
use crate::json::Json;
use crate::storage::{BillingState, Revision};

/// Loads the billing state of an organization (`default` for a hosted tenant): **secret** JSON with `billing`, `null`
/// if there is no file, `revision` (which a save must name) and `warnings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_billing_state_load(
    data_dir: *const pulse_data_dir,
    org: *const c_char,
    org_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let (data_dir, org) = directory_and_org(data_dir, org, org_len)?;
            let loaded = data_dir.with_lock(|locked| Ok(locked.billing_state(org)?))?;
            let billing = loaded.value.as_ref().map(BillingState::secret_members);
            let (revision, warnings) = (loaded.revision.to_string(), warning_texts(&loaded.warnings));
            json::buffer(&LoadedBilling { billing, revision, warnings })
        })
    }
}

#[derive(Serialize)]
struct LoadedBilling<B: Serialize> {
    billing: Option<B>,
    revision: String,
    warnings: Vec<String>,
}

/// Saves the billing state of an organization, given as JSON with its secrets unsealed. They are sealed, and the whole
/// state is signed. `revision` names the state of the file that is replaced, as for `pulse_relay_config_save`. A file
/// is not replaced if it was changed meanwhile, cannot be read, or was modified outside Pulse. Returns JSON of the new
/// `revision`, the `integrity` code (empty without a key file) and `warnings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_billing_state_save(
    data_dir: *const pulse_data_dir,
    org: *const c_char,
    org_len: usize,
    billing_json: *const c_char,
    billing_json_len: usize,
    revision: *const c_char,
    revision_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let (data_dir, org) = directory_and_org(data_dir, org, org_len)?;
            let billing_json = text(billing_json, billing_json_len, "billing_json")?;
            let revision = text(revision, revision_len, "revision")?;
            let Json(mut state) = json::parse::<Json<BillingState>>(billing_json, "billing_json")?;
            let revision: Revision = revision.parse()?;
            let saved = data_dir.with_lock(|locked| Ok(locked.save_billing_state(org, &mut state, &revision)?))?;
            let report = SavedBilling {
                revision: saved.revision.to_string(),
                integrity: state.integrity().unwrap_or_default(),
                warnings: warning_texts(&saved.warnings),
            };
            json::buffer(&report)
        })
    }
}

#[derive(Serialize)]
struct SavedBilling<'a> {
    revision: String,
    integrity: &'a str,
    warnings: Vec<String>,
}
