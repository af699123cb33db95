//! A value that a flag gives or, without the flag, an environment variable. A message names the one that it came from.

use std::env::VarError;

use crate::outcome::Stop;

/// A value, and the flag or variable that gave it.
pub(crate) struct Given {
    pub(crate) by: &'static str,
    pub(crate) value: String,
}

/// The flag's value, else the variable's; an empty variable counts as none.
pub(crate) fn given(flag: &'static str, value: Option<&str>, variable: &'static str) -> Result<Option<Given>, Stop> {
    if let Some(value) = value {
        return Ok(Some(Given { by: flag, value: value.to_owned() }));
    }
    match std::env::var(variable) {
        Ok(value) if !value.trim().is_empty() => Ok(Some(Given { by: variable, value })),
        Ok(_) | Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Stop::usage(format!("{variable}: it is set, but not to UTF-8"))),
    }
}
