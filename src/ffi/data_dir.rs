//! Files of a data directory

use core::ffi::c_char;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, free, text};
use super::fault::{Fault, pulse_error, pulse_status};
use super::json::{self, warning_texts};
use crate::relay::{RelayConfig, RelayEnvironment, validate_server_url};
use crate::storage::{DataDir, DataDirReader, IdentityChange, LockedDataDir, Revision, Saved};

/// A runtime's data directory. Every call takes and releases its lock, so many processes may use one at once; between
/// `pulse_data_dir_lock` and `pulse_data_dir_unlock` the lock is held for all calls with this handle.
pub struct pulse_data_dir {
    directory: DataDir,
    held: Mutex<Option<LockedDataDir>>,
}

impl pulse_data_dir {
    /// Does a job under the lock: the one that is held, or one for this job alone.
    pub(super) fn with_lock<T>(&self, job: impl FnOnce(&LockedDataDir) -> Result<T, Fault>) -> Result<T, Fault> {
        let held = self.held();
        if let Some(locked) = held.as_ref() {
            return job(locked);
        }
        drop(held);
        job(&self.directory.lock_within(LONGEST_WAIT)?)
    }

    /// Does a job that only reads: under the lock that is held, or without one.
    pub(super) fn with_reader<T>(&self, job: impl FnOnce(&DataDirReader) -> Result<T, Fault>) -> Result<T, Fault> {
        let held = self.held();
        if let Some(locked) = held.as_ref() {
            return job(locked.reader());
        }
        drop(held);
        job(&self.directory.open_read_only()?)
    }

    /// A poisoned mutex is fine: the panic was caught, and it left the directory's files whole.
    fn held(&self) -> MutexGuard<'_, Option<LockedDataDir>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The two inputs of every function that works on one organization. Its id is trimmed here, as the name of its file is,
/// so that a lease is compared with what the file was found by.
///
/// # Safety
/// As [`borrow`] and [`text`].
pub(super) unsafe fn directory_and_org<'a>(
    data_dir: *const pulse_data_dir,
    org: *const c_char,
    org_len: usize,
) -> Result<(&'a pulse_data_dir, &'a str), Fault> {
    // SAFETY: as the caller says.
    unsafe { Ok((borrow(data_dir, "data_dir")?, text(org, org_len, "org")?.trim())) }
}

/// WebAssembly cannot wait, so its host tries again.
const LONGEST_WAIT: Duration = if cfg!(target_family = "wasm") { Duration::ZERO } else { DataDir::LOCK_TIMEOUT };

/// The data directory at a path, which must exist. Nothing is read yet.
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
            let directory = directory_at(text(path, path_len, "path")?)?;
            Ok(pulse_data_dir { directory, held: Mutex::new(None) })
        })
    }
}

/// The data directory at a path, made with mode 0700 where it does not exist. Where it has no key file of its own, it takes
/// over the one at the absolute path `legacy_key` (`PULSE_LEGACY_KEY_PATH`, which is `/etc/pulse/.encryption.key` where it
/// is not set; empty: none): the key is copied, and the original stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_create(
    path: *const c_char,
    path_len: usize,
    legacy_key: *const c_char,
    legacy_key_len: usize,
    out: *mut *mut pulse_data_dir,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let path = text(path, path_len, "path")?;
            let legacy_key = text(legacy_key, legacy_key_len, "legacy_key")?;
            if !legacy_key.is_empty() && !legacy_key.starts_with('/') || legacy_key.contains('\0') {
                return Err(Fault::Argument("legacy_key", "expected an absolute path, or an empty text for no file"));
            }
            let legacy_key = (!legacy_key.is_empty()).then(|| legacy_key.into());
            let directory = directory_at(path)?.with_legacy_key(legacy_key);
            directory.create_if_absent()?;
            Ok(pulse_data_dir { directory, held: Mutex::new(None) })
        })
    }
}

fn directory_at(path: &str) -> Result<DataDir, Fault> {
    if path.is_empty() || path.contains('\0') {
        return Err(Fault::Argument("path", "expected a path that is not empty and has no NUL in it"));
    }
    #[cfg(unix)]
    let directory = DataDir::new(path);
    #[cfg(target_family = "wasm")]
    let directory = DataDir::on(std::sync::Arc::new(super::wasm::HostFiles), path);
    Ok(directory)
}

/// Takes the directory's lock and holds it until `pulse_data_dir_unlock` or `pulse_data_dir_free`, so that a load, a
/// change and a save are one step. Waits at most `timeout_ms` milliseconds (in WebAssembly not at all) for another
/// process or thread, then fails with `PULSE_ERR_LOCK_TIMEOUT`. While the lock is held, only one thread may use the
/// handle. Taking it again with the same handle has no effect.
///
/// The lock belongs to the process that took it. In a child that it forks every call with a copy of a locked handle fails
/// with `PULSE_ERR_FILE`, until the child calls `pulse_data_dir_unlock`, which leaves the lock of its parent alone, or
/// frees the handle. The child does not prolong the lock, unless its parent is killed while it holds it: then the lock
/// ends with the child, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_lock(
    data_dir: *const pulse_data_dir,
    timeout_ms: u32,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (), || {
            let data_dir = borrow(data_dir, "data_dir")?;
            if let Some(locked) = data_dir.held().as_ref() {
                return Ok(locked.check_holder()?);
            }
            let timeout = Duration::from_millis(timeout_ms.into()).min(LONGEST_WAIT);
            let locked = data_dir.directory.lock_within(timeout)?;
            *data_dir.held() = Some(locked);
            Ok(())
        })
    }
}

/// Releases the lock that `pulse_data_dir_lock` has taken; without one it does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_unlock(
    data_dir: *const pulse_data_dir,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (), || {
            *borrow(data_dir, "data_dir")?.held() = None;
            Ok(())
        })
    }
}

/// Frees a data directory and releases its lock; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_data_dir_free(data_dir: *mut pulse_data_dir) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(data_dir) };
}

#[derive(Serialize)]
struct LoadedConfig<'a> {
    #[serde(serialize_with = "crate::json::form::serialize")]
    config: &'a RelayConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    warnings: Vec<String>,
}

/// Loads `relay.enc` as it is in the file, or the default config if there is no file. The output is **secret** JSON
/// with `config`, `revision` (which a save must name) and `warnings`. Members of the config that the library does not
/// know are kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_config_load(
    data_dir: *const pulse_data_dir,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let loaded = borrow(data_dir, "data_dir")?.with_lock(|locked| Ok(locked.relay_config()?))?;
            let (revision, warnings) = (Some(loaded.revision.to_string()), warning_texts(&loaded.warnings));
            json::buffer(&LoadedConfig { config: &loaded.value, revision, warnings })
        })
    }
}

/// Whether a save may replace the identity that the file holds: `PULSE_IDENTITY_...`.
pub type pulse_identity_change = i32;
/// A save that would replace or drop a complete identity is refused.
pub const PULSE_IDENTITY_KEEP: pulse_identity_change = 0;
/// The identity may be replaced or dropped: every phone has to be paired again.
pub const PULSE_IDENTITY_REPLACE: pulse_identity_change = 1;

#[derive(Serialize)]
pub(super) struct SavedReport {
    revision: String,
    warnings: Vec<String>,
}

impl From<&Saved> for SavedReport {
    fn from(saved: &Saved) -> Self {
        Self { revision: saved.revision.to_string(), warnings: warning_texts(&saved.warnings) }
    }
}

/// Seals a relay config, given as JSON, and saves it over the state of the file that `revision` names: what a load or a
/// save returned, or `absent` if there is no file yet. A file is not replaced if it was changed meanwhile, cannot be
/// read, or holds an identity that the config lacks; with `PULSE_IDENTITY_REPLACE` the last is allowed. Returns JSON of
/// the new `revision` and `warnings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_config_save(
    data_dir: *const pulse_data_dir,
    config_json: *const c_char,
    config_json_len: usize,
    revision: *const c_char,
    revision_len: usize,
    identity_change: pulse_identity_change,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let data_dir = borrow(data_dir, "data_dir")?;
            let config_json = text(config_json, config_json_len, "config_json")?;
            let revision = text(revision, revision_len, "revision")?;
            let config = RelayConfig::from_json(config_json)?;
            let revision: Revision = revision.parse()?;
            let change = match identity_change {
                PULSE_IDENTITY_KEEP => IdentityChange::Keep,
                PULSE_IDENTITY_REPLACE => IdentityChange::Replace,
                _ => return Err(Fault::Argument("identity_change", "expected one of PULSE_IDENTITY_...")),
            };
            let saved = data_dir.with_lock(|locked| Ok(locked.save_relay_config(&config, &revision, change)?))?;
            json::buffer(&SavedReport::from(&saved))
        })
    }
}

/// Applies the values of `PULSE_RELAY_ENABLED` and `PULSE_RELAY_SERVER`, unless they are empty, to a config. The output
/// is the config in effect, in the form of `pulse_relay_config_load`. Invalid values are ignored with a warning.
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
            let mut config = RelayConfig::from_json(config)?;
            let (environment, warnings) = RelayEnvironment::from_values(Some(enabled), Some(server));
            environment.apply(&mut config);
            let loaded = LoadedConfig { config: &config, revision: None, warnings: warning_texts(&warnings) };
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
