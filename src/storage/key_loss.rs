//! Whether the directory holds anything that only a lost key opens; if so, no new key is made ([formats: encrypted
//! files](crate::_documentation::formats#encrypted-files)).

use serde::de::IgnoredAny;

use super::billing_file::{self, BILLING_FILE, ORGS};
use super::files::{Entry, EntryKind, shown};
use super::reader::DataDirReader;
use crate::error::Result;

/// Stricter than the deployed runtime: how much of a file is inspected. A larger one is treated as sealed.
const MAX_LOOKED_AT_LEN: u64 = 16 * 1024 * 1024;

/// The first file of the directory, or of its organizations, that is sealed under the directory's key. A file that
/// cannot be read counts as sealed.
pub(super) fn find_sealed(data_dir: &DataDirReader) -> Result<Option<String>> {
    let entries = data_dir.files().entries("")?;
    let found = match entries.iter().find(|entry| is_sealed(data_dir, entry)) {
        Some(entry) => Some(entry.name.clone()),
        None => match entries.iter().find(|entry| entry.name == ORGS).map(|entry| entry.kind) {
            Some(EntryKind::Directory) => find_in_organizations(data_dir)?,
            Some(EntryKind::Unknown) => Some(ORGS.to_owned()),
            Some(EntryKind::File) | None => None,
        },
    };
    Ok(found.map(|name| shown(&data_dir.path_of(&name))))
}

fn is_sealed(data_dir: &DataDirReader, entry: &Entry) -> bool {
    match entry.name.as_str() {
        BILLING_FILE => holds_sealed_state(data_dir, BILLING_FILE),
        // Sealed under `.license-key`.
        name if name.starts_with("license.enc") || name.starts_with("activation.enc") => false,
        name if name.contains(".enc") && !name.starts_with(".encryption.key") => !is_plain_json(data_dir, name),
        _ => false,
    }
}

/// Of an organization's folder only the billing state is sealed under the directory's key: the other files there belong
/// to the folder's own.
fn find_in_organizations(data_dir: &DataDirReader) -> Result<Option<String>> {
    for entry in data_dir.files().entries(ORGS)? {
        let folder = format!("{ORGS}/{}", entry.name);
        let file = format!("{folder}/{BILLING_FILE}");
        match entry.kind {
            EntryKind::Directory if holds_sealed_state(data_dir, &file) => return Ok(Some(file)),
            EntryKind::Directory | EntryKind::File => {}
            EntryKind::Unknown => return Ok(Some(folder)),
        }
    }
    Ok(None)
}

/// What cannot be read cannot be shown to be plain.
fn is_plain_json(data_dir: &DataDirReader, name: &str) -> bool {
    match data_dir.files().read(name, MAX_LOOKED_AT_LEN, &mut Vec::new()) {
        Ok(Some(bytes)) => crate::json::from_bytes::<IgnoredAny>(bytes.expose_secret()).is_ok(),
        _ => false,
    }
}

fn holds_sealed_state(data_dir: &DataDirReader, name: &str) -> bool {
    match data_dir.files().read(name, MAX_LOOKED_AT_LEN, &mut Vec::new()) {
        Ok(Some(bytes)) => billing_file::needs_key(bytes.expose_secret()),
        Ok(None) => false,
        Err(_) => true,
    }
}
