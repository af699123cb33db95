//! `relay.enc` ([formats: encrypted files](crate::_documentation::formats#encrypted-files)).

use serde::de::IgnoredAny;

use super::data_dir::{Loaded, LockedDataDir, Saved};
use super::files::shown;
use super::master_key::HasMasterKey;
use super::reader::DataDirReader;
use super::revision::Revision;
use super::seal::MIN_SEALED_LEN;
use crate::error::{Error, Result};
use crate::relay::RelayConfig;
use crate::secret::{Secret, with_wiped_stack};
use crate::warning::Warning;

const FILE: &str = "relay.enc";
/// Stricter than the deployed runtime: a deployed file is under 500 bytes; members we do not know are allowed for.
const MAX_LEN: u64 = 256 * 1024;

/// Whether a save may replace the identity that the file holds. Every paired phone trusts that identity alone, and no
/// other copy of it exists.
///
/// See the example of [`DataDir`](super::DataDir).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum IdentityChange {
    /// A save that would replace or drop a complete identity is refused.
    #[default]
    Keep,
    /// The identity may be replaced or dropped: every phone has to be paired again.
    Replace,
}

impl DataDirReader {
    /// Loads the relay config as the file has it, without the environment; a missing file is the default. A plain file
    /// of older runtimes is read, and stays as it is.
    ///
    /// # Errors
    /// As [`LockedDataDir::relay_config`].
    pub fn relay_config(&self) -> Result<Loaded<RelayConfig>> {
        with_wiped_stack(|| {
            let mut warnings = Vec::new();
            let ReadConfig { config, revision, .. } = read_relay_enc(self, &mut warnings)?;
            Ok(Loaded { value: config, revision, warnings })
        })
    }
}

impl LockedDataDir {
    /// Loads the relay config as the file has it, without the environment; a missing file is the default. A plain file
    /// of older runtimes is read and at once written back sealed.
    ///
    /// # Errors
    /// [`Error::UnsealFailed`], [`Error::FileMalformed`], [`Error::KeyFileLost`], [`Error::KeyFileUnreadable`], and
    /// those of reading a file. The file is then unchanged, and never treated as absent.
    pub fn relay_config(&self) -> Result<Loaded<RelayConfig>> {
        with_wiped_stack(|| self.load_relay_config())
    }

    fn load_relay_config(&self) -> Result<Loaded<RelayConfig>> {
        let mut warnings = Vec::new();
        let read = read_relay_enc(self, &mut warnings)?;
        let mut revision = read.revision;
        if let Some(text) = read.plain {
            match self.seal_relay_config(text.expose_secret(), &mut warnings) {
                Ok(sealed) => revision = sealed,
                Err(error) => {
                    let path = shown(&self.path_of(FILE));
                    warnings.push(Warning::RewriteFailed { path, detail: error.to_string() });
                }
            }
        }
        Ok(Loaded { value: read.config, revision, warnings })
    }

    /// Saves the relay config, sealed, over the state of the file that `revision` names: that of [`Loaded`] or
    /// [`Saved`], or [`Revision::ABSENT`] if there is no file yet. Values of the environment that were applied to
    /// the config are saved with it. A file that cannot be read is not replaced.
    ///
    /// # Errors
    /// [`Error::RevisionMismatch`] if the file was changed meanwhile; [`Error::IdentityKept`] if the save would replace
    /// an identity and `identity` does not allow it; as [`LockedDataDir::relay_config`]; [`Error::KeyFileLost`] if
    /// anything in the directory was sealed under a key that is missing. The old file is then unchanged, except for
    /// [`Error::FileNotDurable`].
    pub fn save_relay_config(
        &self,
        config: &RelayConfig,
        revision: &Revision,
        identity: IdentityChange,
    ) -> Result<Saved> {
        with_wiped_stack(|| self.replace_relay_config(config, revision, identity))
    }

    fn replace_relay_config(
        &self,
        config: &RelayConfig,
        revision: &Revision,
        identity: IdentityChange,
    ) -> Result<Saved> {
        let found = read_relay_enc(self, &mut Vec::new())?;
        found.revision.check(&self.path_of(FILE), revision)?;
        let holds_other = !found.config.lacks_identity() && !has_same_identity(&found.config, config);
        if holds_other && identity == IdentityChange::Keep {
            let path = shown(&self.path_of(FILE));
            return Err(Error::IdentityKept {
                path,
                fingerprint: found.config.identity_fingerprint.unwrap_or_default(),
            });
        }
        let mut warnings = Vec::new();
        let revision = self.seal_relay_config(config.secret_json().expose_secret(), &mut warnings)?;
        Ok(Saved { revision, warnings })
    }

    fn seal_relay_config(&self, text: &str, warnings: &mut Vec<Warning>) -> Result<Revision> {
        let sealed = self.key_to_write(warnings)?.seal(text.as_bytes())?;
        self.replace(FILE, &sealed, MAX_LEN)
    }
}

fn read_relay_enc(holder: &impl HasMasterKey, warnings: &mut Vec<Warning>) -> Result<ReadConfig> {
    let directory = holder.directory();
    let path = directory.path_of(FILE);
    let Some(bytes) = directory.files().read(FILE, MAX_LEN, warnings)? else {
        return Ok(ReadConfig { config: RelayConfig::default(), revision: Revision::ABSENT, plain: None });
    };
    let bytes = bytes.expose_secret();
    let revision = Revision::of(Some(bytes));
    let parse = |text: &str| {
        RelayConfig::from_json(text)
            .map_err(|error| Error::FileMalformed { path: shown(&path), reason: error.to_string() })
    };
    if let Some(text) = plain_json(bytes) {
        let plain = Some(Secret::from(text));
        return Ok(ReadConfig { config: parse(text)?, revision, plain });
    }
    if bytes.len() < MIN_SEALED_LEN {
        let reason = format!("neither sealed nor JSON: {} bytes", bytes.len());
        return Err(Error::FileMalformed { path: shown(&path), reason });
    }
    let key = holder.require_key(&path, warnings)?;
    let text = key.open_text(bytes, &shown(&path))?;
    Ok(ReadConfig { config: parse(text.expose_secret())?, revision, plain: None })
}

/// What was read of the file.
struct ReadConfig {
    config: RelayConfig,
    revision: Revision,
    /// Its text, where the file is plain.
    plain: Option<Secret>,
}

fn has_same_identity(a: &RelayConfig, b: &RelayConfig) -> bool {
    a.identity_private_key == b.identity_private_key
        && a.identity_public_key == b.identity_public_key
        && a.identity_fingerprint == b.identity_fingerprint
}

/// The text of a file that is JSON, which sealed bytes never are.
fn plain_json(bytes: &[u8]) -> Option<&str> {
    let text = str::from_utf8(bytes).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok().map(|_| text)
}
