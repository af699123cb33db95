//! Where settings come from: the environment, then a file.

use std::path::Path;

use super::file::SettingsFile;
use super::{Config, ConfigError};

const FILE: &str = "PULSE_RELAY_CONFIG";

/// The environment of the process and, where one is named, a file of settings. The environment wins.
pub struct Sources {
    file: Option<SettingsFile>,
}

impl Sources {
    /// With the file of this path, else of `PULSE_RELAY_CONFIG`, else none.
    ///
    /// # Errors
    /// A file that cannot be read, with the key that is wrong.
    pub fn of_process(file: Option<&Path>) -> Result<Self, ConfigError> {
        let named = environment(FILE);
        let path = file.or(named.as_deref().map(Path::new));
        let file = path.map(SettingsFile::read).transpose();
        Ok(Self { file: file.map_err(|reason| ConfigError { variable: FILE, reason })? })
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

    /// The file, if it is the one that says this.
    fn file_of(&self, variable: &str) -> Option<&SettingsFile> {
        self.file.as_ref().filter(|file| environment(variable).is_none() && file.get(variable).is_some())
    }
}

fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.trim().is_empty())
}
