//! `activation.enc` and `license.enc`, sealed under `.license-key`
//! ([formats: encrypted files](crate::_documentation::formats#encrypted-files)). Besides the members that count here,
//! they contain the runtime's own: their JSON is read and written as a whole.

use core::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::data_dir::{Loaded, LockedDataDir, Saved};
use super::files::shown;
use super::key_file::KeyFile;
use super::reader::DataDirReader;
use super::revision::Revision;
use super::seal::SealingKey;
use crate::encoding;
use crate::error::{Error, Result};
use crate::json::{self, ReadJson, json_struct};
use crate::primitives::hkdf_sha256;
use crate::secret::{Secret, with_wiped_stack};
use crate::time::UnixTime;
use crate::warning::Warning;

pub(crate) const ACTIVATION_FILE: &str = "activation.enc";
const LICENSE_FILE: &str = "license.enc";
/// Stricter than the deployed runtime: a state holds one token of at most 16 KiB, sealed and in base64.
const MAX_LEN: u64 = 256 * 1024;

/// What license and activation are sealed under, backups included.
const LICENSE_KEY: KeyFile = KeyFile {
    name: ".license-key",
    encode: |key| Zeroizing::new(encoding::hex_encode(key.secret_bytes())),
    parse: derive_key,
    find_sealed,
};

json_struct! {
    /// An activation: the grant of a self-hosted instance, and whether its paid access is suspended.
    ///
    /// See the example of [`bootstrap`](crate::hosted::bootstrap).
    #[form(Deserialize in ActivationJson of "Activation")]
    pub struct Activation {
        /// **Secret**: the grant.
        #[serde(default, deserialize_with = "secret")]
        pub grant_jwt: Secret,
        /// Whether paid access is suspended, which blocks every credential ([formats: hosted
        /// bootstrap](crate::_documentation::formats#hosted-bootstrap)).
        #[serde(default, deserialize_with = "flag")]
        pub paid_access_suspended: bool,
    }
}

impl fmt::Debug for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activation").field("paid_access_suspended", &self.paid_access_suspended).finish_non_exhaustive()
    }
}

json_struct! {
    /// A classic license as the runtime keeps it.
    ///
    /// See the example of [`bootstrap`](crate::hosted::bootstrap).
    #[form(Deserialize in StoredLicenseJson of "StoredLicense")]
    pub struct StoredLicense {
        /// **Secret**: the license.
        #[serde(default, deserialize_with = "secret")]
        pub license_key: Secret,
        /// When its grace ends as the runtime noted it. What counts is the license's own expiry.
        #[serde(default, with = "crate::json::form")]
        pub grace_period_end: Option<UnixTime>,
    }
}

impl fmt::Debug for StoredLicense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredLicense").finish_non_exhaustive()
    }
}

/// One of the two files that are sealed under `.license-key`.
///
/// ```
/// use pulse_trust::storage::{DataDir, LicenseFile, Revision};
///
/// # let parent = tempfile::tempdir()?;
/// # let path = parent.path().join("pulse");
/// let data_dir = DataDir::create(path)?.lock()?;
/// data_dir.save_license_file(LicenseFile::License, r#"{"license_key":"a.b.c"}"#, &Revision::ABSENT)?;
/// assert_eq!(data_dir.license()?.value.map(|license| license.license_key), Some("a.b.c".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LicenseFile {
    /// `activation.enc`
    Activation,
    /// `license.enc`
    License,
}

impl LicenseFile {
    const fn name(self) -> &'static str {
        match self {
            Self::Activation => ACTIVATION_FILE,
            Self::License => LICENSE_FILE,
        }
    }

    /// Whether a text is the JSON object that the file holds.
    fn is_valid(self, json: &[u8]) -> bool {
        match self {
            Self::Activation => json::value_from_bytes::<Activation>(json).is_ok(),
            Self::License => json::value_from_bytes::<StoredLicense>(json).is_ok(),
        }
    }
}

impl DataDirReader {
    /// The activation; `None` if there is no `activation.enc`.
    ///
    /// # Errors
    /// [`Error::KeyFileLost`], [`Error::UnsealFailed`], [`Error::FileMalformed`], and those of reading a file.
    pub fn activation(&self) -> Result<Loaded<Option<Activation>>> {
        with_wiped_stack(|| self.read_license_file(ACTIVATION_FILE))
    }

    /// The license; `None` if there is no `license.enc`.
    ///
    /// # Errors
    /// As [`DataDirReader::activation`].
    pub fn license(&self) -> Result<Loaded<Option<StoredLicense>>> {
        with_wiped_stack(|| self.read_license_file(LICENSE_FILE))
    }

    /// **Secret**: the whole JSON of one of the files, with the members that this library does not know; `None` if there
    /// is no such file.
    ///
    /// # Errors
    /// As [`DataDirReader::activation`].
    pub fn license_file(&self, file: LicenseFile) -> Result<Loaded<Option<Secret>>> {
        with_wiped_stack(|| self.read_text(file))
    }

    fn read_text(&self, file: LicenseFile) -> Result<Loaded<Option<Secret>>> {
        let Loaded { value, revision, warnings } = self.open_license_file(file.name())?;
        let Some(opened) = value else {
            return Ok(Loaded { value: None, revision, warnings });
        };
        let text = str::from_utf8(&opened).ok().filter(|_| file.is_valid(&opened)).map(Secret::from);
        let text = text.ok_or_else(|| self.not_the_object(file.name()))?;
        Ok(Loaded { value: Some(text), revision, warnings })
    }

    fn read_license_file<T: for<'de> ReadJson<'de>>(&self, name: &str) -> Result<Loaded<Option<T>>> {
        let Loaded { value, revision, warnings } = self.open_license_file(name)?;
        let value = match value {
            Some(opened) => Some(json::value_from_bytes(&opened).map_err(|_| self.not_the_object(name))?),
            None => None,
        };
        Ok(Loaded { value, revision, warnings })
    }

    fn not_the_object(&self, name: &str) -> Error {
        let reason = "its sealed content is not the expected JSON object".to_owned();
        Error::FileMalformed { path: shown(&self.path_of(name)), reason }
    }

    /// What is sealed in a file.
    fn open_license_file(&self, name: &str) -> Result<Loaded<Option<Zeroizing<Vec<u8>>>>> {
        let path = self.path_of(name);
        let mut warnings = Vec::new();
        let Some(bytes) = self.files().read(name, MAX_LEN, &mut warnings)? else {
            return Ok(Loaded { value: None, revision: Revision::ABSENT, warnings });
        };
        let malformed = |reason: &str| Error::FileMalformed { path: shown(&path), reason: reason.to_owned() };
        let text = str::from_utf8(bytes.expose_secret()).map_err(|_| malformed("not base64"))?.trim();
        let sealed = encoding::base64_decode(text).ok_or_else(|| malformed("not base64"))?;
        let key = self.key_of(&LICENSE_KEY, &mut warnings)?;
        let key = key.ok_or_else(|| self.key_lost(&LICENSE_KEY, shown(&path)))?;
        let opened = key.open(&sealed, &shown(&path))?;
        Ok(Loaded { value: Some(opened), revision: Revision::of(Some(bytes.expose_secret())), warnings })
    }
}

impl LockedDataDir {
    /// As [`DataDirReader::activation`].
    ///
    /// # Errors
    /// As [`DataDirReader::activation`].
    pub fn activation(&self) -> Result<Loaded<Option<Activation>>> {
        self.reader().activation()
    }

    /// As [`DataDirReader::license`].
    ///
    /// # Errors
    /// As [`DataDirReader::activation`].
    pub fn license(&self) -> Result<Loaded<Option<StoredLicense>>> {
        self.reader().license()
    }

    /// As [`DataDirReader::license_file`].
    ///
    /// # Errors
    /// As [`DataDirReader::activation`].
    pub fn license_file(&self, file: LicenseFile) -> Result<Loaded<Option<Secret>>> {
        self.reader().license_file(file)
    }

    /// Seals and saves the JSON of one of the files, as it is given, over the state of the file that `revision` names.
    /// `.license-key` is made if it is missing and there is no file that was sealed under a lost one. A file that
    /// cannot be read is not replaced.
    ///
    /// # Errors
    /// [`Error::FileMalformed`] if the JSON is not the object that the file holds; [`Error::RevisionMismatch`] if the
    /// file was changed meanwhile; as [`LockedDataDir::activation`], and those of writing a file. The old file is then
    /// unchanged, except for [`Error::FileNotDurable`].
    pub fn save_license_file(&self, file: LicenseFile, secret_json: &str, revision: &Revision) -> Result<Saved> {
        with_wiped_stack(|| self.replace_license_file(file, secret_json, revision))
    }

    fn replace_license_file(&self, file: LicenseFile, secret_json: &str, revision: &Revision) -> Result<Saved> {
        let path = self.path_of(file.name());
        if !file.is_valid(secret_json.as_bytes()) {
            let reason = "what is to be saved is not the expected JSON object".to_owned();
            return Err(Error::FileMalformed { path: shown(&path), reason });
        }
        let found = self.reader().open_license_file(file.name())?;
        found.revision.check(&path, revision)?;
        let mut warnings = Vec::new();
        let sealed = self.license_key_to_write(&mut warnings)?.seal(secret_json.as_bytes())?;
        let revision = self.replace(file.name(), encoding::base64_encode(&sealed).as_bytes(), MAX_LEN)?;
        Ok(Saved { revision, warnings })
    }

    /// The key, made if there is none and nothing that was sealed under a lost one is there.
    fn license_key_to_write(&self, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        self.check_writable()?;
        match self.reader().key_of(&LICENSE_KEY, warnings)? {
            Some(key) => Ok(key),
            None => self.make_key(&LICENSE_KEY, warnings),
        }
    }
}

/// The key that the text of the key file stands for, which the deployed runtime does not decode.
fn derive_key(text: &str) -> Result<SealingKey, String> {
    if text.is_empty() {
        return Err("empty".to_owned());
    }
    SealingKey::derived(|key| {
        hkdf_sha256(text.as_bytes(), b"pulse-license-persistence-v2", [(b"license-encryption".as_slice(), key)])
    })
    .ok_or_else(|| "key derivation failed".to_owned())
}

fn find_sealed(directory: &DataDirReader) -> Result<Option<String>> {
    let is_sealed = |name: &str| name.starts_with(LICENSE_FILE) || name.starts_with(ACTIVATION_FILE);
    let found = directory.files().entries("")?.into_iter().find(|entry| is_sealed(&entry.name));
    Ok(found.map(|entry| shown(&directory.path_of(&entry.name))))
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    crate::secret::text::deserialize(deserializer).map(Secret::trimmed)
}

/// `null` counts as absent, as in the deployed reader.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::<bool>::deserialize(deserializer).map(Option::unwrap_or_default)
}
