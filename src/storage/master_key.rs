//! `.encryption.key`: read, or made where nothing is lost by it (FORMATS 7).

use std::path::Path;

use zeroize::Zeroizing;

use super::files::{Files, shown};
use super::key_loss::find_sealed;
use super::seal::SealingKey;
use crate::encoding;
use crate::error::{Error, Result};
use crate::warning::Warning;

const KEY_FILE: &str = ".encryption.key";
/// Ours: a key is 44 characters; white space around it is allowed for.
const MAX_KEY_FILE_LEN: u64 = 1024;

/// The directory's key; `None` where there is no key file.
pub(super) fn read(files: &dyn Files, directory: &Path, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
    let path = directory.join(KEY_FILE);
    let unreadable = |reason: String| Error::KeyFileUnreadable { path: shown(&path), reason };
    let read = files.read(&path, MAX_KEY_FILE_LEN, warnings).map_err(|error| unreadable(error.to_string()))?;
    let Some(bytes) = read else {
        return Ok(None);
    };
    let text = str::from_utf8(&bytes).map_err(|_| unreadable("not text".to_owned()))?.trim();
    let key = encoding::base64_decode(text).map(Zeroizing::new).ok_or_else(|| unreadable("not base64".to_owned()))?;
    match key.as_slice().try_into() {
        Ok(secret) => Ok(Some(SealingKey::new(secret))),
        Err(_) => Err(unreadable(format!("{} bytes instead of 32", key.len()))),
    }
}

/// The directory's key, which something sealed needs; `what` names it in the error.
pub(super) fn require(
    files: &dyn Files,
    directory: &Path,
    what: &str,
    warnings: &mut Vec<Warning>,
) -> Result<SealingKey> {
    read(files, directory, warnings)?.ok_or_else(|| lost(directory, what.to_owned()))
}

/// The directory's key, made where there is none and nothing sealed under a lost one is there.
pub(super) fn read_or_make(files: &dyn Files, directory: &Path, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
    if let Some(key) = read(files, directory, warnings)? {
        return Ok(key);
    }
    if let Some(sealed) = find_sealed(files, directory)? {
        return Err(lost(directory, sealed));
    }
    let secret = Zeroizing::new(encoding::random_bytes::<32>()?);
    let text = Zeroizing::new(encoding::base64_encode(secret.as_slice()));
    let path = directory.join(KEY_FILE);
    if files.create(&path, text.as_bytes())? {
        return Ok(SealingKey::new(&secret));
    }
    // The deployed runtime, which does not know our lock, was faster: its key counts.
    read(files, directory, warnings)?.ok_or_else(|| Error::FileMissing { path: shown(&path) })
}

fn lost(directory: &Path, sealed: String) -> Error {
    Error::KeyFileLost { path: shown(&directory.join(KEY_FILE)), sealed }
}
