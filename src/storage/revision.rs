//! Identifies the state of a file that a caller has seen.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};

use crate::encoding;
use crate::error::{Error, Result};

const ABSENT: &str = "absent";
/// The first half of a SHA-256.
const HEX_LEN: usize = 32;

/// The state of a file when it was loaded or saved. A save names the one it replaces, so that it never overwrites what
/// someone else has written meanwhile. As text it is `absent` or 32 hex digits.
///
/// ```
/// use pulse_trust::storage::Revision;
/// assert_eq!("absent".parse::<Revision>()?, Revision::ABSENT);
/// assert!("no revision".parse::<Revision>().is_err());
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(Option<String>);

impl Revision {
    /// There is no such file.
    pub const ABSENT: Self = Self(None);

    /// The revision of a file with this content.
    pub(super) fn of(content: Option<&[u8]>) -> Self {
        Self(content.map(|bytes| {
            let mut digits = encoding::hex_encode(&Sha256::digest(bytes));
            digits.truncate(HEX_LEN);
            digits
        }))
    }

    /// Checks that a file is still as the caller has seen it.
    pub(super) fn check(&self, path: &std::path::Path, seen: &Self) -> Result<()> {
        if self == seen {
            return Ok(());
        }
        let (expected, received) = (seen.to_string(), self.to_string());
        Err(Error::RevisionMismatch { path: super::files::shown(path), expected, received })
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or(ABSENT))
    }
}

impl FromStr for Revision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match text {
            ABSENT => Ok(Self::ABSENT),
            _ if text.len() == HEX_LEN && text.bytes().all(is_digit) => Ok(Self(Some(text.to_owned()))),
            _ => Err(Error::RevisionInvalid { received: text.chars().take(64).collect() }),
        }
    }
}
