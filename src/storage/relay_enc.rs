//! `relay.enc` (FORMATS 7).

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::data_dir::{Loaded, LockedDataDir};
use super::files::shown;
use super::seal::MIN_SEALED_LEN;
use crate::error::{Error, Result};
use crate::relay::RelayConfig;
use crate::warning::Warning;

const FILE: &str = "relay.enc";
/// Ours: a deployed file is under 500 bytes; members we do not know are allowed for.
const MAX_LEN: u64 = 256 * 1024;

impl LockedDataDir {
    /// Loads the relay config as the file has it, the environment left aside; a missing file is the default. A plain
    /// file of older runtimes is read and at once written back sealed.
    ///
    /// # Errors
    /// [`Error::UnsealFailed`], [`Error::FileMalformed`], [`Error::KeyFileLost`], [`Error::KeyFileUnreadable`], and
    /// those of reading a file. The file is as it was then, and never taken for absent.
    pub fn relay_config(&self) -> Result<Loaded<RelayConfig>> {
        let mut warnings = Vec::new();
        let (value, plain) = self.read_relay_enc(&mut warnings)?;
        if let Some(text) = plain
            && let Err(error) = self.seal_relay_config(&text, &mut warnings)
        {
            let path = shown(&self.path().join(FILE));
            warnings.push(Warning::RewriteFailed { path, detail: error.to_string() });
        }
        Ok(Loaded { value, warnings })
    }

    /// Saves the relay config, sealed. What of the environment was applied to it is saved with it. A file that cannot
    /// be read is not replaced.
    ///
    /// # Errors
    /// As [`LockedDataDir::relay_config`], and [`Error::KeyFileLost`] where anything in the directory was sealed under a
    /// key that is not there; the old file is as it was then.
    pub fn save_relay_config(&self, config: &RelayConfig) -> Result<Vec<Warning>> {
        self.read_relay_enc(&mut Vec::new())?;
        let mut warnings = Vec::new();
        self.seal_relay_config(&config.secret_json()?, &mut warnings)?;
        Ok(warnings)
    }

    /// The config of the file as it is, and its text where that is plain.
    fn read_relay_enc(&self, warnings: &mut Vec<Warning>) -> Result<(RelayConfig, Option<Zeroizing<String>>)> {
        let path = self.path().join(FILE);
        let Some(bytes) = self.files().read(&path, MAX_LEN, warnings)? else {
            return Ok((RelayConfig::default(), None));
        };
        let malformed = |reason: String| Error::FileMalformed { path: shown(&path), reason };
        if let Some(text) = plain_json(&bytes) {
            let config = RelayConfig::from_json(text).map_err(malformed)?;
            return Ok((config, Some(Zeroizing::new(text.to_owned()))));
        }
        if bytes.len() < MIN_SEALED_LEN {
            return Err(malformed("neither sealed nor JSON".to_owned()));
        }
        let key = self.require_key(&shown(&path), warnings)?;
        let text = key.open_text(&bytes, &shown(&path))?;
        Ok((RelayConfig::from_json(&text).map_err(malformed)?, None))
    }

    fn seal_relay_config(&self, text: &str, warnings: &mut Vec<Warning>) -> Result<()> {
        let sealed = self.key_to_write(warnings)?.seal(text.as_bytes())?;
        self.replace(&self.path().join(FILE), &sealed)
    }
}

/// The text of a file that is JSON; sealed bytes are never.
fn plain_json(bytes: &[u8]) -> Option<&str> {
    let text = str::from_utf8(bytes).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok().map(|_| text)
}
