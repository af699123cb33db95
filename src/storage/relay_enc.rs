//! `relay.enc` (FORMATS 7).

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::data_dir::{Loaded, LockedDataDir};
use super::file;
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
        let path = self.path().join(FILE);
        let mut warnings = Vec::new();
        let Some(bytes) = file::read(&path, MAX_LEN, &mut warnings)? else {
            return Ok(Loaded { value: RelayConfig::default(), warnings });
        };
        let malformed = |reason: String| Error::FileMalformed { path: file::shown(&path), reason };
        if let Some(text) = plain_json(&bytes) {
            let value = RelayConfig::from_json(text).map_err(malformed)?;
            if let Err(error) = self.seal_relay_config(text, &mut warnings) {
                warnings.push(Warning::RewriteFailed { path: file::shown(&path), detail: error.to_string() });
            }
            return Ok(Loaded { value, warnings });
        }
        let key = self.require_key(&file::shown(&path), &mut warnings)?;
        let text = key.open_text(&bytes, &file::shown(&path))?;
        let value = RelayConfig::from_json(&text).map_err(malformed)?;
        Ok(Loaded { value, warnings })
    }

    /// Saves the relay config, sealed. What of the environment was applied to it is saved with it.
    ///
    /// # Errors
    /// [`Error::KeyFileLost`], [`Error::KeyFileUnreadable`], [`Error::File`]; the old file is as it was then.
    pub fn save_relay_config(&self, config: &RelayConfig) -> Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        let text: Zeroizing<String> = config.secret_json()?;
        self.seal_relay_config(&text, &mut warnings)?;
        Ok(warnings)
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
