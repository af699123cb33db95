//! How a command ends.

use std::io;

use crate::shown::told;

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything asked about is accepted.
    Accepted,
    /// Something was refused, and the output says what and why.
    Refused,
}

impl Outcome {
    pub(crate) fn accepted_if(all_accepted: bool) -> Self {
        if all_accepted { Self::Accepted } else { Self::Refused }
    }
}

/// Why a command ended before it could answer.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The arguments are wrong; the text says what to give instead.
    Usage(String),
    /// Something that the answer needs could not be read.
    CannotTell(String),
    /// Whoever read the output has read enough, as `head` does. That is a good end.
    ReaderGone,
}

impl Stop {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    pub(crate) fn cannot_tell(text: impl Into<String>) -> Self {
        Self::CannotTell(text.into())
    }

    /// What the caller gave was refused by the library.
    pub(crate) fn bad_argument(argument: &str, error: &pulse_trust::Error) -> Self {
        Self::Usage(format!("{argument}: {}", told(error)))
    }
}

/// The errors of writing the output.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::CannotTell(format!("the output cannot be written: {error}")),
        }
    }
}

impl From<pulse_trust::Error> for Stop {
    fn from(error: pulse_trust::Error) -> Self {
        Self::CannotTell(told(&error))
    }
}
