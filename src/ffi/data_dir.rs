//! Files of a data directory: relay config and billing state

use core::ffi::c_char;

use serde::Serialize;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, free, text};
use super::fault::{Fault, pulse_error, pulse_status};
use super::json::{self, warning_texts};
use crate::relay::{RelayConfig, RelayEnvironment, validate_server_url};
use crate::storage::{BillingState, DataDir};

/// A runtime's data directory. Every call takes and releases its lock, so many processes may use one at once.
pub struct pulse_data_dir {
    pub(super) directory: DataDir,
}

/// The data directory at a path, which exists. Nothing is read yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_open(
    path: *const c_char,
    path_len: usize,
    out: *mut *mut pulse_data_dir,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let path = text(path, path_len, "path")?;
            if path.is_empty() || path.contains('\0') {
                return Err(Fault::Argument("path", "empty, or with a NUL in it"));
            }
            #[cfg(not(target_family = "wasm"))]
            let directory = DataDir::new(path);
            #[cfg(target_family = "wasm")]
            let directory = DataDir::on(std::sync::Arc::new(super::wasm::HostFiles), path);
            Ok(pulse_data_dir { directory })
        })
    }
}

/// Frees a data directory; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_free(data_dir: *mut pulse_data_dir) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(data_dir) };
}

#[derive(Serialize)]
struct LoadedConfig<'a> {
    config: &'a RelayConfig,
    warnings: Vec<String>,
}

/// Loads `relay.enc` as the file has it, the default where there is none: **secret** JSON of `config` and `warnings`.
/// Members of the config that the library does not know come through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_config_load(
    data_dir: *const pulse_data_dir,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let loaded = borrow(data_dir, "data_dir")?.directory.lock()?.relay_config()?;
            let loaded = LoadedConfig { config: &loaded.value, warnings: warning_texts(&loaded.warnings) };
            json::buffer(&loaded)
        })
    }
}

/// Saves a relay config, given as JSON, sealed. A file that cannot be read is not replaced. Gives the warnings as a JSON
/// array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_config_save(
    data_dir: *const pulse_data_dir,
    config_json: *const c_char,
    config_json_len: usize,
    out_warnings_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_warnings_json, "out_warnings_json"), || {
            let directory = &borrow(data_dir, "data_dir")?.directory;
            let config = relay_config(text(config_json, config_json_len, "config_json")?)?;
            let warnings = directory.lock()?.save_relay_config(&config)?;
            json::buffer(&warning_texts(&warnings))
        })
    }
}

/// Puts the values of `PULSE_RELAY_ENABLED` and `PULSE_RELAY_SERVER`, where they are not empty, over a config: the
/// config in effect, as `pulse_relay_config_load` gives it. Values that are not valid are ignored with a warning.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_config_with_environment(
    config_json: *const c_char,
    config_json_len: usize,
    enabled: *const c_char,
    enabled_len: usize,
    server: *const c_char,
    server_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let config = text(config_json, config_json_len, "config_json")?;
            let (enabled, server) = (text(enabled, enabled_len, "enabled")?, text(server, server_len, "server")?);
            let mut config = relay_config(config)?;
            let (environment, warnings) = RelayEnvironment::from_values(Some(enabled), Some(server));
            environment.apply(&mut config);
            let loaded = LoadedConfig { config: &config, warnings: warning_texts(&warnings) };
            json::buffer(&loaded)
        })
    }
}

/// Whether a relay server URL is valid: 0 if it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_server_url_check(
    url: *const c_char,
    url_len: usize,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe { call(error, (), || Ok(validate_server_url(text(url, url_len, "url")?)?)) }
}

/// Loads the billing state of an organization (`default` for a hosted tenant): **secret** JSON of `billing`, `null`
/// where there is no file, and `warnings`.
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
            let org = text(org, org_len, "org")?;
            let loaded = borrow(data_dir, "data_dir")?.directory.lock()?.billing_state(org)?;
            let billing = loaded.value.as_ref().map(BillingState::secret_members);
            let loaded = LoadedBilling { billing, warnings: warning_texts(&loaded.warnings) };
            json::buffer(&loaded)
        })
    }
}

#[derive(Serialize)]
struct LoadedBilling<B: Serialize> {
    billing: Option<B>,
    warnings: Vec<String>,
}

/// Saves the billing state of an organization, given as JSON with its secrets in plain: they are sealed, and the whole
/// is signed. A file that cannot be read, or was tampered with, is not replaced. Gives the warnings as a JSON array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_billing_state_save(
    data_dir: *const pulse_data_dir,
    org: *const c_char,
    org_len: usize,
    billing_json: *const c_char,
    billing_json_len: usize,
    out_warnings_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_warnings_json, "out_warnings_json"), || {
            let directory = &borrow(data_dir, "data_dir")?.directory;
            let org = text(org, org_len, "org")?;
            let mut state: BillingState =
                json::parse(text(billing_json, billing_json_len, "billing_json")?, "billing_json")?;
            let warnings = directory.lock()?.save_billing_state(org, &mut state)?;
            json::buffer(&warning_texts(&warnings))
        })
    }
}

pub(super) fn relay_config(json: &str) -> Result<RelayConfig, Fault> {
    RelayConfig::from_json(json).map_err(|reason| Fault::ArgumentJson("config_json", reason))
}
