//! Where settings come from: the environment, then a file.

use std::path::Path;

use super::environment::HOSTED_KEY_FALLBACK;
use super::file::SettingsFile;
use super::table::TABLE;
use super::{Config, ConfigError};

const FILE: &str = "PULSE_RELAY_CONFIG";
const FILE_FLAG: &str = "--config";

/// The environment of the process and, if one is named, a settings file. The environment takes precedence.
pub struct Sources {
    file: Option<SettingsFile>,
}

impl Sources {
    /// With the file at this path, otherwise the one that `PULSE_RELAY_CONFIG` names, otherwise none.
    ///
    /// # Errors
    /// A file that cannot be read, with the key that is wrong.
    pub fn of_process(file: Option<&Path>) -> Result<Self, ConfigError> {
        check_environment()?;
        let named = environment(FILE);
        let path = file.or(named.as_deref().map(Path::new));
        let variable = if file.is_some() { FILE_FLAG } else { FILE };
        let file = path.map(SettingsFile::read).transpose();
        Ok(Self { file: file.map_err(|reason| ConfigError { variable, reason })? })
    }

    /// The settings.
    ///
    /// # Errors
    /// The first setting that cannot be used, and the file if it comes from there.
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| self.get(name)).map_err(|error| match self.file_of(error.variable) {
            None => error,
            Some(file) => ConfigError { reason: format!("{} (in {})", error.reason, file.path.display()), ..error },
        })
    }

    /// Whether an error concerns the file as a whole, so that nothing is known about the settings.
    pub(crate) fn cannot_read_file(error: &ConfigError) -> bool {
        [FILE, FILE_FLAG].contains(&error.variable)
    }

    /// Where a setting comes from, in words.
    pub fn origin(&self, variable: &'static str) -> String {
        match self.file_of(variable) {
            Some(file) => file.path.display().to_string(),
            None if environment(variable).is_some() => "environment".to_owned(),
            None => "default".to_owned(),
        }
    }

    fn get(&self, variable: &'static str) -> Option<String> {
        environment(variable).or_else(|| Some(self.file.as_ref()?.get(variable)?.to_owned()))
    }

    /// The file, if the setting comes from it.
    fn file_of(&self, variable: &str) -> Option<&SettingsFile> {
        self.file.as_ref().filter(|file| environment(variable).is_none() && file.get(variable).is_some())
    }
}

/// Refuses a value that is not text: if it counted as absent, a relay could lack its keys or its revocations.
fn check_environment() -> Result<(), ConfigError> {
    let settings = TABLE.iter().map(|setting| setting.variable);
    let is_text = |variable: &&str| !matches!(std::env::var(variable), Err(std::env::VarError::NotUnicode(_)));
    match settings.chain([FILE, HOSTED_KEY_FALLBACK, "RUST_LOG"]).find(|variable| !is_text(variable)) {
        Some(variable) => Err(ConfigError { variable, reason: "expected UTF-8, received other bytes".to_owned() }),
        None => Ok(()),
    }
}

fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.trim().is_empty())
}
