//! Percent-encoding, bytewise, as Go's `net/url` writes it: upper-case hex.

use zeroize::Zeroizing;

use crate::encoding::hex_upper;

/// Encodes every byte except those that `stays` keeps.
pub(super) fn encode(bytes: &[u8], stays: fn(u8) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    encode_into(bytes, stays, &mut text);
    text
}

/// The same at the end of a text: at most three bytes for each.
pub(super) fn encode_into(bytes: &[u8], stays: fn(u8) -> bool, text: &mut String) {
    for &byte in bytes {
        if stays(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.extend(hex_upper(byte));
        }
    }
}

/// Decodes `%` and two hex digits, in any case; `None` if a `%` is not followed by these. The result is wiped when
/// dropped, as a pairing code holds a token.
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex_digit(bytes.next())? << 4 | hex_digit(bytes.next())?,
            _ => byte,
        });
    }
    Some(decoded)
}

/// What is never encoded (RFC 3986, section 2.3).
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn hex_digit(byte: Option<u8>) -> Option<u8> {
    char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_in_upper_case_and_decodes_in_any() {
        assert_eq!(encode("a/é~%".as_bytes(), is_unreserved), "a%2F%C3%A9~%25");
        assert_eq!(decode("a%2F%c3%A9~%25").unwrap().as_slice(), "a/é~%".as_bytes());
    }

    #[test]
    fn refuses_broken_escapes() {
        for text in ["%", "%4", "%zz", "%4g", "a%+1", "%%41"] {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
