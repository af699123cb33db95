//! `.encryption.key`: read, taken over from its legacy location, or created if nothing is lost by that ([formats:
//! encrypted files](crate::_documentation::formats#encrypted-files)).

use std::path::Path;

use zeroize::Zeroizing;

use super::data_dir::LockedDataDir;
use super::files::shown;
use super::key_file::KeyFile;
use super::key_loss::find_sealed;
use super::reader::DataDirReader;
use super::seal::SealingKey;
use crate::encoding;
use crate::error::Result;
use crate::warning::Warning;

/// What everything but license and activation is sealed under.
pub(super) const MASTER_KEY: KeyFile = KeyFile {
    name: ".encryption.key",
    encode: |key| Zeroizing::new(encoding::base64_encode(key.secret_bytes())),
    parse,
    find_sealed,
};

fn parse(text: &str) -> Result<SealingKey, String> {
    let key = encoding::secret_base64_decode(text).ok_or_else(|| "not base64".to_owned())?;
    SealingKey::from_slice(&key).ok_or_else(|| format!("{} bytes instead of 32", key.len()))
}

/// Who has the directory's key. Both use one in its legacy location; only who holds the lock copies it from there.
pub(super) trait HasMasterKey {
    fn directory(&self) -> &DataDirReader;

    /// The directory's key; `None` if there is no key file, here or in the legacy location.
    fn key(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>>;

    /// The directory's key, which something sealed needs; `what` names it in the error.
    fn require_key(&self, what: &Path, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        self.key(warnings)?.ok_or_else(|| self.directory().key_lost(&MASTER_KEY, shown(what)))
    }
}

impl HasMasterKey for DataDirReader {
    fn directory(&self) -> &DataDirReader {
        self
    }

    fn key(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        match self.key_of(&MASTER_KEY, warnings)? {
            Some(key) => Ok(Some(key)),
            None => self.key_in_legacy_location(warnings),
        }
    }
}

impl HasMasterKey for LockedDataDir {
    fn directory(&self) -> &DataDirReader {
        self.reader()
    }

    /// One in the legacy location is copied, and the original is kept. If nothing can be written, the original is used.
    fn key(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        let directory = self.reader();
        if let Some(key) = directory.key_of(&MASTER_KEY, warnings)? {
            return Ok(Some(key));
        }
        match directory.key_in_legacy_location(warnings)? {
            Some(key) if self.read_only_reason().is_none() => self.create_key(&MASTER_KEY, &key, warnings).map(Some),
            key => Ok(key),
        }
    }
}

impl DataDirReader {
    fn key_in_legacy_location(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        let own_path = self.path_of(MASTER_KEY.name);
        match self.legacy_key().filter(|path| *path != own_path) {
            Some(path) => self.key_outside(path, &MASTER_KEY, warnings),
            None => Ok(None),
        }
    }
}

impl LockedDataDir {
    /// The directory's key, made if there is none and nothing sealed under a lost one is there.
    pub(super) fn key_to_write(&self, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        self.check_writable()?;
        self.files().warn_of_mode(warnings);
        match self.key(warnings)? {
            Some(key) => Ok(key),
            None => self.make_key(&MASTER_KEY, warnings),
        }
    }
}
