//! What broke a link, in words.

use std::fmt;

#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn from_error(error: impl std::error::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<pulse_trust::Error> for Failure {
    fn from(error: pulse_trust::Error) -> Self {
        Self(format!("{} ({} {})", error, error.code(), error.name()))
    }
}
