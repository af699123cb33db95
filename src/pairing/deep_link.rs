//! `pulse://connect?…`: the query of a deep link, written and read as Go's `url.Values` does.

use crate::encoding::hex_upper;
use crate::error::{Error, Result};

/// What every deep link begins with.
pub(super) const PREFIX: &str = "pulse://connect?";

/// A deep link of these keys and values, which are sorted by key; empty values are left out.
pub(super) fn write(pairs: &[(&str, &str)]) -> String {
    let written: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", query_escape(value)))
        .collect();
    format!("{PREFIX}{}", written.join("&"))
}

/// The keys and values of a deep link's query, unescaped.
///
/// # Errors
/// [`Error::PairingMalformed`].
pub(super) fn read(query: &str) -> Result<Vec<(String, String)>> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((query_unescape(key)?, query_unescape(value)?))
        })
        .collect()
}

/// Go's `QueryEscape`: `A-Z a-z 0-9 - _ . ~` stay, a space is `+`, every other byte `%` and two upper-case digits.
fn query_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            b' ' => escaped.push('+'),
            _ => {
                escaped.push('%');
                escaped.extend(hex_upper(byte));
            }
        }
    }
    escaped
}

fn query_unescape(text: &str) -> Result<String> {
    let malformed = |reason| Error::PairingMalformed { reason };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let value = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
                value.ok_or(malformed("a % is not followed by two hex digits"))?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| malformed("an escaped text is not UTF-8"))
}
