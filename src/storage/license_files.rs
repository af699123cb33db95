//! `activation.enc` and `license.enc`, sealed under `.license-key` ([formats: encrypted
//! files](crate::_documentation::formats#encrypted-files)). They are only read here: the runtime writes them.

use core::fmt;

use serde::{Deserialize, Deserializer};

use super::data_dir::{Loaded, LockedDataDir};
use super::files::shown;
use super::revision::Revision;
use super::seal::SealingKey;
use crate::encoding;
use crate::error::{Error, Result};
use crate::json::{self, ReadJson, json_struct};
use crate::primitives::hkdf_sha256;
use crate::secret::{Secret, with_wiped_stack};
use crate::warning::Warning;

pub(crate) const ACTIVATION_FILE: &str = "activation.enc";
const LICENSE_FILE: &str = "license.enc";
const KEY_FILE: &str = ".license-key";
/// Stricter than the deployed runtime: the key is 64 characters; a state holds one token of at most 16 KiB, sealed and
/// in base64.
const MAX_KEY_LEN: u64 = 1024;
const MAX_LEN: u64 = 256 * 1024;

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
        /// When its grace ends as the runtime noted it, Unix seconds. What counts is the license's own expiry.
        #[serde(default)]
        pub grace_period_end: Option<i64>,
    }
}

impl fmt::Debug for StoredLicense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredLicense").finish_non_exhaustive()
    }
}

impl LockedDataDir {
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
    /// As [`LockedDataDir::activation`].
    pub fn license(&self) -> Result<Loaded<Option<StoredLicense>>> {
        with_wiped_stack(|| self.read_license_file(LICENSE_FILE))
    }

    fn read_license_file<T: for<'de> ReadJson<'de>>(&self, name: &str) -> Result<Loaded<Option<T>>> {
        let path = self.path_of(name);
        let mut warnings = Vec::new();
        let Some(bytes) = self.files().read(name, MAX_LEN, &mut warnings)? else {
            return Ok(Loaded { value: None, revision: Revision::ABSENT, warnings });
        };
        let malformed = |reason: &str| Error::FileMalformed { path: shown(&path), reason: reason.to_owned() };
        let text = str::from_utf8(bytes.expose_secret()).map_err(|_| malformed("not base64"))?.trim();
        let sealed = encoding::base64_decode(text).ok_or_else(|| malformed("not base64"))?;
        let key = self.license_key(&shown(&path), &mut warnings)?;
        let opened = key.open(&sealed, &shown(&path))?;
        let value = json::value_from_bytes(&opened).ok();
        let value = value.ok_or_else(|| malformed("its sealed content is not the expected JSON object"))?;
        Ok(Loaded { value: Some(value), revision: Revision::of(Some(bytes.expose_secret())), warnings })
    }

    fn license_key(&self, sealed: &str, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        let path = self.path_of(KEY_FILE);
        let bytes = self
            .files()
            .read(KEY_FILE, MAX_KEY_LEN, warnings)?
            .ok_or_else(|| Error::KeyFileLost { path: shown(&path), sealed: sealed.to_owned() })?;
        let unreadable = |reason: &str| Error::KeyFileUnreadable { path: shown(&path), reason: reason.to_owned() };
        let text = str::from_utf8(bytes.expose_secret()).map_err(|_| unreadable("not text"))?.trim();
        if text.is_empty() {
            return Err(unreadable("empty"));
        }
        SealingKey::derived(|key| {
            hkdf_sha256(text.as_bytes(), b"pulse-license-persistence-v2", [(b"license-encryption".as_slice(), key)])
        })
        .ok_or_else(|| unreadable("key derivation failed"))
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    crate::secret::text::deserialize(deserializer).map(Secret::trimmed)
}

/// `null` counts as absent, as in the deployed reader.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::<bool>::deserialize(deserializer).map(Option::unwrap_or_default)
}
