//! `.encryption.key`: read, or made where nothing is lost by it (FORMATS 7).

use std::path::Path;

use zeroize::Zeroizing;

use super::file;
use super::key_loss::find_sealed;
use super::seal::SealingKey;
use crate::encoding;
use crate::error::{Error, Result};
use crate::warning::Warning;

const KEY_FILE: &str = ".encryption.key";
/// Ours: a key is 44 characters; white space around it is allowed for.
const MAX_KEY_FILE_LEN: u64 = 1024;

/// The directory's key; `None` where there is no key file.
pub(super) fn read(directory: &Path, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
    let path = directory.join(KEY_FILE);
    let Some(bytes) = file::read(&path, MAX_KEY_FILE_LEN, warnings)? else {
        return Ok(None);
    };
    let unreadable = |reason: &str| Error::KeyFileUnreadable { path: file::shown(&path), reason: reason.to_owned() };
    let text = str::from_utf8(&bytes).map_err(|_| unreadable("not text"))?.trim();
    let key = encoding::base64_decode(text).map(Zeroizing::new).ok_or_else(|| unreadable("not base64"))?;
    key.as_slice().try_into().map(|secret| Some(SealingKey::new(secret))).map_err(|_| unreadable("not 32 bytes"))
}

/// The directory's key, which something sealed needs; `what` names it in the error.
pub(super) fn require(directory: &Path, what: &str, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
    read(directory, warnings)?.ok_or_else(|| lost(directory, what.to_owned()))
}

/// The directory's key, made where there is none and nothing sealed under a lost one is there.
pub(super) fn read_or_make(directory: &Path, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
    if let Some(key) = read(directory, warnings)? {
        return Ok(key);
    }
    if let Some(sealed) = find_sealed(directory)? {
        return Err(lost(directory, sealed));
    }
    let secret = Zeroizing::new(encoding::random_bytes::<32>()?);
    let text = Zeroizing::new(encoding::base64_encode(secret.as_slice()));
    file::replace(&directory.join(KEY_FILE), text.as_bytes())?;
    Ok(SealingKey::new(&secret))
}

fn lost(directory: &Path, sealed: String) -> Error {
    Error::KeyFileLost { path: file::shown(&directory.join(KEY_FILE)), sealed }
}
