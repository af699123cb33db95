//! `activation.enc` and `license.enc`

use core::ffi::c_char;

use serde::Serialize;
use serde_json::value::RawValue;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, text};
use super::data_dir::{SavedReport, pulse_data_dir};
use super::fault::{Fault, pulse_error, pulse_status};
use super::json::{self, warning_texts};
use crate::storage::{LicenseFile, Revision};

/// Which of the two files: `PULSE_LICENSE_FILE_...`.
pub type pulse_license_file = i32;
/// `activation.enc`: the grant of a self-hosted instance, and whether its paid access is suspended.
pub const PULSE_LICENSE_FILE_ACTIVATION: pulse_license_file = 0;
/// `license.enc`: a classic license.
pub const PULSE_LICENSE_FILE_LICENSE: pulse_license_file = 1;

fn license_file(file: pulse_license_file) -> Result<LicenseFile, Fault> {
    match file {
        PULSE_LICENSE_FILE_ACTIVATION => Ok(LicenseFile::Activation),
        PULSE_LICENSE_FILE_LICENSE => Ok(LicenseFile::License),
        _ => Err(Fault::Argument("file", "expected one of PULSE_LICENSE_FILE_...")),
    }
}

#[derive(Serialize)]
struct LoadedLicenseFile<'a> {
    content: Option<&'a RawValue>,
    revision: String,
    warnings: Vec<String>,
}

/// Loads one of the files: **secret** JSON with `content`, which is the whole JSON object of the file, with the members
/// that the library does not know (`null` if there is no file), `revision` (which a save must name) and `warnings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_license_file_load(
    data_dir: *const pulse_data_dir,
    file: pulse_license_file,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let data_dir = borrow(data_dir, "data_dir")?;
            let file = license_file(file)?;
            let loaded = data_dir.with_lock(|locked| Ok(locked.license_file(file)?))?;
            // The text is the JSON object that the load has found it to be.
            let content = loaded.value.as_ref().and_then(|text| serde_json::from_str(text.expose_secret()).ok());
            let (revision, warnings) = (loaded.revision.to_string(), warning_texts(&loaded.warnings));
            json::buffer(&LoadedLicenseFile { content, revision, warnings })
        })
    }
}

/// Seals and saves one of the files: `content_json` is its whole JSON object. `revision` names the state of the file that
/// is replaced, as for `pulse_relay_config_save`. `.license-key` is made where there is none and nothing is sealed under
/// a lost one. A file that cannot be read is not replaced. Returns JSON of the new `revision` and `warnings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_license_file_save(
    data_dir: *const pulse_data_dir,
    file: pulse_license_file,
    content_json: *const c_char,
    content_json_len: usize,
    revision: *const c_char,
    revision_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let data_dir = borrow(data_dir, "data_dir")?;
            let file = license_file(file)?;
            let content = text(content_json, content_json_len, "content_json")?;
            let revision: Revision = text(revision, revision_len, "revision")?.parse()?;
            let saved = data_dir.with_lock(|locked| Ok(locked.save_license_file(file, content, &revision)?))?;
            json::buffer(&SavedReport::from(&saved))
        })
    }
}
