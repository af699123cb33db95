//! Is anything here that only a lost key opens? Then no new key is made (FORMATS 7).

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::file;
use super::seal::MIN_SEALED_LEN;
use crate::encoding;
use crate::error::Result;

/// Ours: how much of a file is looked at, and how deep below `orgs/`. What is over is taken for sealed.
const MAX_LOOKED_AT_LEN: u64 = 16 * 1024 * 1024;
const MAX_DEPTH: usize = 8;

/// The first file in the directory, or below `orgs/`, that is sealed under the directory's key.
pub(super) fn find_sealed(directory: &Path) -> Result<Option<String>> {
    if let Some(found) = find_in(directory)? {
        return Ok(Some(found));
    }
    find_below(&directory.join("orgs"), 0)
}

fn find_below(directory: &Path, depth: usize) -> Result<Option<String>> {
    if !directory.is_dir() {
        return Ok(None);
    }
    if depth > MAX_DEPTH {
        return Ok(Some(file::shown(directory)));
    }
    if let Some(found) = find_in(directory)? {
        return Ok(Some(found));
    }
    for entry in entries(directory)? {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            return Ok(Some(file::shown(&path)));
        };
        // A link to a directory is not followed, so nobody knows what is behind it.
        if kind.is_symlink() && path.is_dir() {
            return Ok(Some(file::shown(&path)));
        }
        if kind.is_dir()
            && let Some(found) = find_below(&path, depth.saturating_add(1))?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn find_in(directory: &Path) -> Result<Option<String>> {
    for entry in entries(directory)? {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_sealed = match name.as_ref() {
            "billing.json" => has_sealed_fields(&entry.path()),
            name if name.starts_with("license.enc") || name.starts_with("activation.enc") => false,
            name if name.contains(".enc") && !name.starts_with(".encryption.key") => !is_plain_json(&entry.path()),
            _ => false,
        };
        if is_sealed {
            return Ok(Some(file::shown(&entry.path())));
        }
    }
    Ok(None)
}

/// In the order of their names, so that the same file is found each time.
fn entries(directory: &Path) -> Result<Vec<fs::DirEntry>> {
    let mut entries = fs::read_dir(directory)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(|error| file::failed("list", directory, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// What cannot be read cannot be shown to be plain.
fn is_plain_json(path: &Path) -> bool {
    match file::read(path, MAX_LOOKED_AT_LEN, &mut Vec::new()) {
        Ok(Some(bytes)) => serde_json::from_slice::<IgnoredAny>(&bytes).is_ok(),
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
fn has_sealed_fields(path: &Path) -> bool {
    let Ok(Some(bytes)) = file::read(path, MAX_LOOKED_AT_LEN, &mut Vec::new()) else {
        return true;
    };
    match serde_json::from_slice::<SealedFields>(&bytes) {
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
