//! JSON across the C boundary: whatever is not performance-critical is exchanged as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::buffer::pulse_buffer;
use super::fault::Fault;
use crate::error::Error;
use crate::json;
use crate::warning::Warning;

/// Parses an input object. The error quotes no value, as it may be a secret.
pub(super) fn parse<T: DeserializeOwned>(text: &str, name: &'static str) -> Result<T, Fault> {
    json::from_text(text).map_err(|error| {
        let place = format!("refused at line {} column {}", error.line(), error.column());
        Fault::ArgumentJson(name, format!("expected the JSON object that the header describes, {place}"))
    })
}

/// An output value, which may hold secrets.
pub(super) fn buffer(value: &impl Serialize) -> Result<pulse_buffer, Fault> {
    Ok(pulse_buffer::new(secret_text(value)?))
}

/// The same as text.
pub(super) fn secret_text(value: &impl Serialize) -> Result<Zeroizing<String>, Fault> {
    json::to_compact(value).map(Zeroizing::new).map_err(|_| Fault::Argument("result", "it cannot be written as JSON"))
}

/// An error inside an object.
#[derive(Serialize)]
pub(super) struct ErrorText {
    code: u16,
    name: &'static str,
    message: String,
}

impl From<&Error> for ErrorText {
    fn from(error: &Error) -> Self {
        Self { code: error.code(), name: error.name(), message: error.to_string() }
    }
}

pub(super) fn warning_texts(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}
