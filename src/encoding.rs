//! Base64 and hex as the formats require them: strict, with one spelling for each value.

use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::{Engine, decoded_len_estimate};
use zeroize::Zeroizing;

use crate::error::Result;

/// Standard alphabet with padding: keys, sealed texts, bodies.
pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Standard alphabet with padding, strictly; `None` for anything else.
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// URL-safe alphabet without padding: the segments of a token.
pub(crate) fn base64url_encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// URL-safe without padding, strictly; `None` for anything else.
pub(crate) fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// URL-safe without padding, into a buffer of exactly the decoded size; `None` for anything else.
pub(crate) fn base64url_decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The decoder asks for whole groups of 3 bytes: one group more than fits reveals a text that is too long.
    let mut buffer = [0_u8; 96];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).ok()?;
    buffer.get(..length)?.try_into().ok()
}

/// A secret in any of the four base64 variants (formats.md#keys).
pub(crate) fn secret_base64_decode_any(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD]
        .into_iter()
        .find_map(|engine| decode_secret(engine, text))
}

/// A secret in the standard alphabet with padding, strictly.
#[cfg(feature = "storage")]
pub(crate) fn secret_base64_decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    decode_secret(&STANDARD, text)
}

/// Into memory that is wiped whether the text decodes or not: what a decoder has written before it refuses is secret too.
fn decode_secret(engine: &GeneralPurpose, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; decoded_len_estimate(text.len())]);
    let length = engine.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// A public value in the standard alphabet with padding; if that fails, URL-safe without (formats.md#keys).
pub(crate) fn public_base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()
}

/// Lower-case hex.
pub(crate) fn hex_encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| hex_lower(*byte)).collect()
}

/// Upper-case hex pairs joined by colons: how people compare fingerprints.
pub(crate) fn hex_pairs(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| hex_upper(*byte).iter().collect()).collect();
    pairs.join(":")
}

/// The two upper-case hex digits of a byte.
pub(crate) fn hex_upper(byte: u8) -> [char; 2] {
    hex_lower(byte).map(|digit| digit.to_ascii_uppercase())
}

fn hex_lower(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|nibble| char::from_digit(u32::from(nibble), 16).unwrap_or('0'))
}

/// Fills an array from the operating system's random generator.
///
/// # Errors
/// [`crate::Error::RandomUnavailable`] if there is none.
#[cfg(feature = "storage")]
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

/// A secret from the operating system's random generator. Only the box moves; its bytes stay where they were made.
///
/// # Errors
/// [`crate::Error::RandomUnavailable`] if there is none.
pub(crate) fn random_secret<const N: usize>() -> Result<Box<Zeroizing<[u8; N]>>> {
    let mut secret = Box::new(Zeroizing::new([0_u8; N]));
    fill_random(secret.as_mut_slice())?;
    Ok(secret)
}

fn fill_random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| crate::Error::RandomUnavailable { detail: error.to_string() })
}
