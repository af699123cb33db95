//! Is anything here that only a lost key opens? Then no new key is made (FORMATS 7).

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::files::{Entry, EntryKind, Files, shown};
use super::seal::MIN_SEALED_LEN;
use crate::encoding;
use crate::error::Result;

/// Ours: how much of a file is looked at, and how deep below `orgs/`. What is over is taken for sealed.
const MAX_LOOKED_AT_LEN: u64 = 16 * 1024 * 1024;
const MAX_DEPTH: usize = 8;

/// The first file in the directory, or below `orgs/`, that is sealed under the directory's key.
pub(super) fn find_sealed(files: &dyn Files, directory: &Path) -> Result<Option<String>> {
    let entries = files.entries(directory)?;
    if let Some(found) = find_among(files, directory, &entries) {
        return Ok(Some(found));
    }
    match entries.iter().find(|entry| entry.name == "orgs").map(|entry| entry.kind) {
        Some(EntryKind::Directory | EntryKind::Unknown) => find_below(files, &directory.join("orgs"), 0),
        Some(EntryKind::File) | None => Ok(None),
    }
}

fn find_below(files: &dyn Files, directory: &Path, depth: usize) -> Result<Option<String>> {
    if depth > MAX_DEPTH {
        return Ok(Some(shown(directory)));
    }
    let entries = files.entries(directory)?;
    if let Some(found) = find_among(files, directory, &entries) {
        return Ok(Some(found));
    }
    for entry in entries {
        let path = directory.join(&entry.name);
        match entry.kind {
            EntryKind::File => {}
            EntryKind::Unknown => return Ok(Some(shown(&path))),
            EntryKind::Directory => {
                if let Some(found) = find_below(files, &path, depth.saturating_add(1))? {
                    return Ok(Some(found));
                }
            }
        }
    }
    Ok(None)
}

fn find_among(files: &dyn Files, directory: &Path, entries: &[Entry]) -> Option<String> {
    let is_sealed = |entry: &&Entry| {
        let path = directory.join(&entry.name);
        match entry.name.as_str() {
            "billing.json" => has_sealed_fields(files, &path),
            name if name.starts_with("license.enc") || name.starts_with("activation.enc") => false,
            name if name.contains(".enc") && !name.starts_with(".encryption.key") => !is_plain_json(files, &path),
            _ => false,
        }
    };
    entries.iter().find(is_sealed).map(|entry| shown(&directory.join(&entry.name)))
}

/// What cannot be read cannot be shown to be plain.
fn is_plain_json(files: &dyn Files, path: &Path) -> bool {
    match files.read(path, MAX_LOOKED_AT_LEN, &mut Vec::new()) {
        Ok(Some(bytes)) => crate::json::from_bytes::<IgnoredAny>(&bytes).is_ok(),
        _ => false,
    }
}

#[derive(Deserialize)]
struct SealedFields {
    #[serde(default)]
    entitlement_jwt: Option<String>,
    #[serde(default)]
    entitlement_refresh_token: Option<String>,
}

/// What cannot be read as a billing state cannot be shown to hold nothing sealed; an empty file holds nothing.
fn has_sealed_fields(files: &dyn Files, path: &Path) -> bool {
    let Ok(Some(bytes)) = files.read(path, MAX_LOOKED_AT_LEN, &mut Vec::new()) else {
        return true;
    };
    match crate::json::from_bytes::<SealedFields>(&bytes) {
        Ok(fields) => {
            let fields = [fields.entitlement_jwt, fields.entitlement_refresh_token];
            fields.into_iter().flatten().any(|text| is_sealed(&text))
        }
        Err(_) => !bytes.is_empty(),
    }
}

/// Whether a text in billing.json is sealed: standard base64 of 28 bytes or more (FORMATS 8).
pub(super) fn is_sealed(text: &str) -> bool {
    sealed_bytes(text).is_some()
}

/// The sealed bytes that a text in billing.json stands for.
pub(super) fn sealed_bytes(text: &str) -> Option<Vec<u8>> {
    encoding::base64_decode(text.trim()).filter(|bytes| bytes.len() >= MIN_SEALED_LEN)
}
