//! The settings in a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::table::TABLE;
use crate::regular_file;

/// A file of settings that was read.
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    /// By variable.
    values: BTreeMap<&'static str, String>,
}

impl SettingsFile {
    /// Reads a file; an error names it, and the key.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let unusable = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let bytes = regular_file::read(path).map_err(|error| unusable(&error))?;
        let text = String::from_utf8(bytes).map_err(|error| unusable(&error))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, String> {
        let table: Table = toml::from_str(text).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let setting = TABLE.iter().find(|setting| setting.key() == key).ok_or_else(|| {
                format!("{}: there is no setting {key:?}: pulse-relay --settings lists all", path.display())
            })?;
            let text = text_of(&value).ok_or_else(|| {
                let received = value.type_str();
                format!(
                    "{}: {key}: expected a string, a number or a list of strings, received {received}",
                    path.display()
                )
            })?;
            values.insert(setting.variable, text);
        }
        Ok(Self { path: path.to_owned(), values })
    }

    pub(super) fn get(&self, variable: &str) -> Option<&str> {
        self.values.get(variable).map(String::as_str)
    }
}

/// A value as the environment would write it.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Array(values) => {
            let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
            Some(texts?.join(","))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SettingsFile, String> {
        SettingsFile::parse(Path::new("relay.toml"), text)
    }

    #[test]
    fn values_are_read_as_the_environment_writes_them() {
        let file = parse("addr = ':8443'\nmax_apps = 10\ntrusted_proxies = ['10.0.0.0/8', '::1']\n").unwrap();
        assert_eq!(file.get("PULSE_RELAY_ADDR"), Some(":8443"));
        assert_eq!(file.get("PULSE_RELAY_MAX_APPS"), Some("10"));
        assert_eq!(file.get("PULSE_RELAY_TRUSTED_PROXIES"), Some("10.0.0.0/8,::1"));
        assert_eq!(file.get("PULSE_RELAY_DATA_DIR"), None);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_the_file() {
        for (text, named) in [
            ("max_app = 10", "max_app"),
            ("max_apps = true", "max_apps: expected"),
            ("addr = [1]", "addr: expected"),
            ("addr = ", "addr"),
        ] {
            let error = parse(text).err().unwrap();
            assert!(error.starts_with("relay.toml") && error.contains(named), "{error}");
        }
    }
}
