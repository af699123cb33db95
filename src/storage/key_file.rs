//! The directory's two key files, `.encryption.key` and `.license-key`: read, or made if nothing is lost by that
//! ([formats: encrypted files](crate::_documentation::formats#encrypted-files)).

use std::path::Path;

use zeroize::Zeroizing;

use super::data_dir::LockedDataDir;
use super::files::shown;
use super::reader::DataDirReader;
use super::seal::SealingKey;
use crate::error::{Error, Result};
use crate::secret::SecretBytes;
use crate::warning::Warning;

/// Stricter than the deployed runtime: a key is 44 or 64 characters; white space around it is allowed for.
const MAX_LEN: u64 = 1024;

/// A key file.
pub(super) struct KeyFile {
    pub(super) name: &'static str,
    /// The text of a new key.
    pub(super) encode: fn(&SealingKey) -> Zeroizing<String>,
    /// The key that a text stands for, which has no white space around it; or why it stands for none.
    pub(super) parse: fn(&str) -> Result<SealingKey, String>,
    /// The first file of the directory that is sealed under the key.
    pub(super) find_sealed: fn(&DataDirReader) -> Result<Option<String>>,
}

impl KeyFile {
    /// The key that was read of a file. A file that does not hold a key is distinguished from one that cannot be read
    /// at the moment.
    fn parse_read(&self, path: &Path, read: Result<Option<SecretBytes>>) -> Result<Option<SealingKey>> {
        let unreadable = |reason: String| Error::KeyFileUnreadable { path: shown(path), reason };
        let bytes = match read {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => bytes,
            Err(error @ (Error::FileNotRegular { .. } | Error::FileTooLarge { .. })) => {
                return Err(unreadable(error.to_string()));
            }
            Err(error) => return Err(error),
        };
        let text = str::from_utf8(bytes.expose_secret()).map_err(|_| unreadable("not text".to_owned()))?;
        (self.parse)(text.trim()).map(Some).map_err(unreadable)
    }
}

impl DataDirReader {
    /// The key of one of the files; `None` if there is no such file.
    pub(super) fn key_of(&self, file: &KeyFile, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        let read = self.files().read(file.name, MAX_LEN, warnings);
        file.parse_read(&self.path_of(file.name), read)
    }

    /// The key in a file of this form at a path outside of the directory; `None` if there is no such file.
    pub(super) fn key_outside(
        &self,
        path: &Path,
        file: &KeyFile,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<SealingKey>> {
        let read = self.outside().read_outside(path, MAX_LEN, warnings);
        file.parse_read(path, read)
    }

    pub(super) fn key_lost(&self, file: &KeyFile, sealed: String) -> Error {
        Error::KeyFileLost { path: shown(&self.path_of(file.name)), sealed }
    }
}

impl LockedDataDir {
    /// Makes a key file, which is missing, unless something that is sealed under a lost key is there.
    pub(super) fn make_key(&self, file: &KeyFile, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        let directory = self.reader();
        if let Some(sealed) = (file.find_sealed)(directory)? {
            return Err(directory.key_lost(file, sealed));
        }
        self.create_key(file, &SealingKey::generate()?, warnings)
    }

    /// Writes a key into its file, which is missing. Where the deployed runtime, which does not use this lock, is faster,
    /// its key counts.
    pub(super) fn create_key(
        &self,
        file: &KeyFile,
        key: &SealingKey,
        warnings: &mut Vec<Warning>,
    ) -> Result<SealingKey> {
        self.check_writable()?;
        let path = self.path_of(file.name);
        let text = (file.encode)(key);
        if self.files().create(file.name, text.as_bytes())? {
            return (file.parse)(&text).map_err(|reason| Error::KeyFileUnreadable { path: shown(&path), reason });
        }
        self.reader().key_of(file, warnings)?.ok_or_else(|| Error::FileMissing { path: shown(&path) })
    }
}
