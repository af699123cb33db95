//! `.encryption.key`: read, taken over from its legacy location, or created if nothing is lost by that ([formats:
//! encrypted files](crate::_documentation::formats#encrypted-files)).

use std::path::Path;

use zeroize::Zeroizing;

use super::data_dir::LockedDataDir;
use super::files::shown;
use super::key_loss::find_sealed;
use super::seal::SealingKey;
use crate::encoding;
use crate::error::{Error, Result};
use crate::secret::SecretBytes;
use crate::warning::Warning;

pub(super) const KEY_FILE: &str = ".encryption.key";
/// Stricter than the deployed runtime: a key is 44 characters; white space around it is allowed for.
const MAX_KEY_FILE_LEN: u64 = 1024;

impl LockedDataDir {
    /// The directory's key; `None` if there is no key file, here or in the legacy location.
    pub(super) fn key(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        match self.own_key(warnings)? {
            Some(key) => Ok(Some(key)),
            None => self.take_over_legacy_key(warnings),
        }
    }

    /// The directory's key, which something sealed needs; `what` names it in the error.
    pub(super) fn require_key(&self, what: &Path, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        self.key(warnings)?.ok_or_else(|| self.key_lost(shown(what)))
    }

    /// The directory's key, made if there is none and nothing sealed under a lost one is there.
    pub(super) fn key_to_write(&self, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        self.check_writable()?;
        self.files().warn_of_mode(warnings);
        if let Some(key) = self.key(warnings)? {
            return Ok(key);
        }
        if let Some(sealed) = find_sealed(self)? {
            return Err(self.key_lost(sealed));
        }
        let key = SealingKey::generate()?;
        let text = Zeroizing::new(encoding::base64_encode(key.secret_bytes()));
        if self.files().create(KEY_FILE, text.as_bytes())? {
            return Ok(key);
        }
        // The deployed runtime, which does not use this lock, was faster: its key counts.
        self.own_key(warnings)?.ok_or_else(|| Error::FileMissing { path: shown(&self.path_of(KEY_FILE)) })
    }

    fn own_key(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        let path = self.path_of(KEY_FILE);
        let read = self.files().read(KEY_FILE, MAX_KEY_FILE_LEN, warnings);
        parse_read(&path, read)
    }

    /// Copies the key from its legacy location, and keeps the original. If nothing can be written, the original is
    /// used.
    fn take_over_legacy_key(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        let own_path = self.path_of(KEY_FILE);
        let Some(path) = self.legacy_key().filter(|path| *path != own_path) else {
            return Ok(None);
        };
        let read = self.outside().read_outside(path, MAX_KEY_FILE_LEN, warnings);
        let Some(key) = parse_read(path, read)? else {
            return Ok(None);
        };
        if self.read_only_reason().is_none() {
            let text = Zeroizing::new(encoding::base64_encode(key.secret_bytes()));
            if !self.files().create(KEY_FILE, text.as_bytes())? {
                return self.own_key(warnings);
            }
        }
        Ok(Some(key))
    }

    fn key_lost(&self, sealed: String) -> Error {
        Error::KeyFileLost { path: shown(&self.path_of(KEY_FILE)), sealed }
    }
}

/// The key that was read of a file. A file that does not hold a key is distinguished from one that cannot be read at
/// the moment.
fn parse_read(path: &Path, read: Result<Option<SecretBytes>>) -> Result<Option<SealingKey>> {
    let unreadable = |reason: String| Error::KeyFileUnreadable { path: shown(path), reason };
    let bytes = match read {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => bytes,
        Err(error @ (Error::FileNotRegular { .. } | Error::FileTooLarge { .. })) => {
            return Err(unreadable(error.to_string()));
        }
        Err(error) => return Err(error),
    };
    let text = str::from_utf8(bytes.expose_secret()).map_err(|_| unreadable("not text".to_owned()))?.trim();
    let key = encoding::secret_base64_decode(text).ok_or_else(|| unreadable("not base64".to_owned()))?;
    match SealingKey::from_slice(&key) {
        Some(key) => Ok(Some(key)),
        None => Err(unreadable(format!("{} bytes instead of 32", key.len()))),
    }
}
