//! Files of a data directory over the line: relay config and billing state, as JSON.

use core::ffi::c_char;

use serde::Serialize;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, free, guard, text};
use super::error::{Fault, pulse_error, pulse_status};
use super::json::{self, warning_texts};
use crate::relay::{RelayConfig, RelayEnvironment, validate_server_url};
use crate::storage::{BillingState, DataDir};

/// A runtime's data directory. Every call takes and lets go its lock, so many threads and processes may use one at once.
pub struct pulse_data_dir {
    pub(super) directory: DataDir,
}

/// The data directory at a path, which exists. Nothing is read yet.
///
/// # Safety
/// `path` is valid for `path_len` bytes; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_open(
    path: *const c_char,
    path_len: usize,
    out: *mut *mut pulse_data_dir,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            let path = text(path, path_len, "path")?;
            if path.is_empty() || path.contains('\0') {
                return Err(Fault::Argument("path", "empty, or with a NUL in it"));
            }
            #[cfg(not(target_family = "wasm"))]
            let directory = DataDir::new(path);
            #[cfg(target_family = "wasm")]
            let directory = DataDir::on(std::sync::Arc::new(super::wasm::HostFiles), path);
            out.give(pulse_data_dir { directory });
            Ok(())
        })
    }
}

/// Frees a data directory; NULL is nothing to free.
///
/// # Safety
/// `data_dir` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_free(data_dir: *mut pulse_data_dir) {
    // SAFETY: as the caller says.
    unsafe { free(data_dir) };
}

#[derive(Serialize)]
struct LoadedConfig<'a> {
    config: &'a RelayConfig,
    warnings: Vec<String>,
}

/// Loads `relay.enc` as the file has it, the default where there is none: **secret** JSON of `config` and `warnings`.
/// Members of the config that the library does not know come through.
///
/// # Safety
/// `data_dir` is NULL or live; `out_json` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_config_load(
    data_dir: *const pulse_data_dir,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out_json, "out_json")?;
            let loaded = borrow(data_dir, "data_dir")?.directory.lock()?.relay_config()?;
            let loaded = LoadedConfig { config: &loaded.value, warnings: warning_texts(&loaded.warnings) };
            out.give_bytes(json::secret_text(&loaded)?.as_bytes());
            Ok(())
        })
    }
}

/// Saves a relay config, given as JSON, sealed. A file that cannot be read is not replaced. Gives the warnings as a JSON
/// array.
///
/// # Safety
/// `data_dir` is NULL or live, `config_json` is valid for its length; `out_warnings_json` and `error` are NULL or valid
/// for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_config_save(
    data_dir: *const pulse_data_dir,
    config_json: *const c_char,
    config_json_len: usize,
    out_warnings_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out_warnings_json, "out_warnings_json")?;
            let directory = &borrow(data_dir, "data_dir")?.directory;
            let config = relay_config(text(config_json, config_json_len, "config_json")?)?;
            let warnings = directory.lock()?.save_relay_config(&config)?;
            out.give_bytes(json::secret_text(&warning_texts(&warnings))?.as_bytes());
            Ok(())
        })
    }
}

/// Puts the values of `PULSE_RELAY_ENABLED` and `PULSE_RELAY_SERVER`, where they are not empty, over a config: the
/// config in effect, as `pulse_relay_config_load` gives it. Values that are not valid are ignored with a warning.
///
/// # Safety
/// The texts are valid for their lengths; `out_json` and `error` are NULL or valid for a write.
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
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out_json, "out_json")?;
            let config = text(config_json, config_json_len, "config_json")?;
            let (enabled, server) = (text(enabled, enabled_len, "enabled")?, text(server, server_len, "server")?);
            let mut config = relay_config(config)?;
            let (environment, warnings) = RelayEnvironment::from_values(Some(enabled), Some(server));
            environment.apply(&mut config);
            let loaded = LoadedConfig { config: &config, warnings: warning_texts(&warnings) };
            out.give_bytes(json::secret_text(&loaded)?.as_bytes());
            Ok(())
        })
    }
}

/// Whether a relay server URL is valid: 0 if it is.
///
/// # Safety
/// `url` is valid for `url_len` bytes; `error` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_server_url_check(
    url: *const c_char,
    url_len: usize,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe { guard(error, || Ok(validate_server_url(text(url, url_len, "url")?)?)) }
}

/// Loads the billing state of an organization (`default` for a hosted tenant): **secret** JSON of `billing`, `null`
/// where there is no file, and `warnings`.
///
/// # Safety
/// `data_dir` is NULL or live, `org` is valid for its length; `out_json` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_billing_state_load(
    data_dir: *const pulse_data_dir,
    org: *const c_char,
    org_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out_json, "out_json")?;
            let org = text(org, org_len, "org")?;
            let loaded = borrow(data_dir, "data_dir")?.directory.lock()?.billing_state(org)?;
            let billing = loaded.value.as_ref().map(BillingState::secret_members);
            let loaded = LoadedBilling { billing, warnings: warning_texts(&loaded.warnings) };
            out.give_bytes(json::secret_text(&loaded)?.as_bytes());
            Ok(())
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
///
/// # Safety
/// `data_dir` is NULL or live, the texts are valid for their lengths; `out_warnings_json` and `error` are NULL or valid
/// for a write.
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
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out_warnings_json, "out_warnings_json")?;
            let directory = &borrow(data_dir, "data_dir")?.directory;
            let org = text(org, org_len, "org")?;
            let mut state: BillingState =
                json::parse(text(billing_json, billing_json_len, "billing_json")?, "billing_json")?;
            let warnings = directory.lock()?.save_billing_state(org, &mut state)?;
            out.give_bytes(json::secret_text(&warning_texts(&warnings))?.as_bytes());
            Ok(())
        })
    }
}

pub(super) fn relay_config(json: &str) -> Result<RelayConfig, Fault> {
    RelayConfig::from_json(json).map_err(|reason| Fault::ArgumentJson("config_json", reason))
}
