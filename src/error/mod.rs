//! The one error type of the crate: a stable number and name for programs, a precise message for people.
//!
//! Numbers are grouped by subject and never reused; C, Go, TypeScript and the JVM share them. A message carries both
//! sides of a failed comparison where there are two, and never a secret.

mod boundary;
mod built;
mod define;
mod table;

#[cfg(feature = "capi")]
use core::ffi::CStr;
use core::fmt;

pub use self::table::Error;

/// Result of every fallible function of this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// One row of [`Error::TABLE`]: what a program compares, and what a person is told.
///
/// ```
/// use pulse_trust::Error;
/// let entry = Error::TABLE.iter().find(|entry| entry.name == "TOKEN_MALFORMED").unwrap();
/// assert_eq!(entry.code, 201);
/// assert!(entry.remedy.starts_with("Copy the token again"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorEntry {
    /// The stable number, as [`Error::code`] gives it.
    pub code: u16,
    /// The stable name, as [`Error::name`] gives it.
    pub name: &'static str,
    /// What the error means in general, in one sentence.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Error {
    /// Whether only the time is wrong: the token is past its expiry or before its start, or its trial has ended.
    pub const fn is_about_time(&self) -> bool {
        matches!(self, Self::Expired { .. } | Self::NotYetValid { .. } | Self::TrialEnded { .. })
    }
}

/// A text from outside, quoted and in ASCII, so that it cannot be mistaken for the words around it. It does not use
/// `Debug`, which the WebAssembly is built without.
pub(crate) fn quoted(text: &str) -> impl fmt::Display {
    Quoted(text)
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_default())
    }
}

#[cfg(feature = "capi")]
const fn c_name(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => c"UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_names_are_unique() {
        let all: Vec<_> = Error::BOUNDARY.iter().chain(Error::TABLE).collect();
        assert!(all.is_sorted_by(|a, b| a.code < b.code));
        let mut names: Vec<_> = all.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn meanings_and_remedies_are_sentences() {
        for entry in Error::BOUNDARY.iter().chain(Error::TABLE) {
            for text in [entry.meaning, entry.remedy] {
                assert!(text.ends_with('.') && text.len() > 8 && text.trim() == text, "{}: {text:?}", entry.name);
            }
        }
    }

    #[test]
    fn a_text_from_outside_is_quoted() {
        let error = Error::OrgMismatch { expected: "default".into(), received: "a\"\n\u{fc}".into() };
        assert_eq!(error.to_string(), r#"organization: expected "default", received "a\"\n\u{fc}""#);
        let error = Error::KeyUnknown { kid: "a\u{1b}[2K, b".into() };
        let expected = r#"the token names key "a\u{1b}[2K, b", which is not among the configured keys"#;
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_error_stays_small_enough_to_return_by_value() {
        assert!(size_of::<Error>() <= 96);
    }
}
