//! Text that must not leak: tokens, instance secrets, private keys.

use core::fmt;

use serde_json::value::RawValue;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret text. It is wiped from memory when it is dropped, its `Debug` output shows nothing of it, and it cannot be
/// cloned or printed by accident: only [`Secret::expose_secret`] shows it.
///
/// Two secrets are compared in a time that depends on their lengths alone.
///
/// ```
/// use pulse_trust::Secret;
///
/// let token = Secret::from("etr_hosted_0123".to_owned());
/// assert_eq!(token.expose_secret(), "etr_hosted_0123");
/// assert_eq!(format!("{token:?}"), "Secret(..)");
/// assert!(token == Secret::from("etr_hosted_0123"));
/// ```
#[derive(Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. A caller that copies it must wipe the copy.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty, which in most formats means that there is no secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same text without white space at its ends. Nothing is copied if there is none.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let text = self.0.trim();
        if text.len() == self.0.len() { self } else { Self::from(text) }
    }

    /// The secret, or `None` if it is empty, for members that are left out when empty.
    pub fn non_empty(self) -> Option<Self> {
        (!self.is_empty()).then_some(self)
    }

    /// The text of a secret, or the empty text if there is none, for formats in which that means the same.
    pub(crate) fn expose_or_empty(secret: Option<&Self>) -> &str {
        secret.map_or("", Self::expose_secret)
    }

    /// A second copy. There is no `Clone`, so that each copy shows in the code.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::from(self.expose_secret())
    }
}

/// Takes ownership of the text without copying it.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

/// Copies the text; the original stays the caller's to wipe.
impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Compares in a time that depends on the lengths alone.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Secret bytes, such as a file's: wiped from memory when they are dropped, and never shown by accident.
///
/// ```
/// use pulse_trust::SecretBytes;
///
/// let content = SecretBytes::from(vec![1, 2, 3]);
/// assert_eq!(content.expose_secret(), [1, 2, 3]);
/// assert_eq!(format!("{content:?}"), "SecretBytes(..)");
/// ```
#[derive(Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// The bytes themselves. A caller that copies them must wipe the copy.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

/// Takes ownership of the bytes without copying them.
impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// How deep the stack is wiped. An unoptimized build was seen to leave something 14 KiB deep: this is twice that.
const WIPED_STACK: usize = 32 * 1024;

/// Does a job that handles secrets, and wipes the stack that it has used. The crates that do the work wipe what they own,
/// but not what the compiler puts on the stack for them: keys in registers that a cipher spills, blocks of a hash, pieces
/// of a text that is searched.
pub(crate) fn with_wiped_stack<T>(job: impl FnOnce() -> T) -> T {
    let result = in_a_frame_below(job);
    zeroize::zeroize_stack::<WIPED_STACK>();
    result
}

#[inline(never)]
fn in_a_frame_below<T>(job: impl FnOnce() -> T) -> T {
    job()
}

/// Wipes bytes. Of what is long, the WebAssembly engine's own fill is faster by far than one write after the other.
#[cfg(feature = "capi")]
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // Whoever could look at them now keeps the fill from being left out.
    core::hint::black_box(bytes);
}

/// For `#[serde(with = "crate::secret::text")]`: a secret member; `null` is the empty text. `Secret` itself has no
/// serde traits, so that no caller of this crate writes one into a file or a log by accident.
pub(crate) mod text {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;
    use serde_json::value::RawValue;

    use super::{Secret, unescaped};

    pub(crate) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose_secret())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        let value = <&RawValue>::deserialize(deserializer)?;
        unescaped(value).ok_or_else(|| D::Error::custom("expected a text"))
    }
}

/// For `#[serde(with = "crate::secret::text_or_none")]`: a secret member that `null` and the empty text leave out.
pub(crate) mod text_or_none {
    use serde::de::Deserializer;
    use serde::ser::Serializer;

    use super::{Secret, text};

    #[allow(clippy::ref_option, reason = "the signature that serde calls")]
    pub(crate) fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Secret::expose_or_empty(secret.as_ref()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        text::deserialize(deserializer).map(Secret::non_empty)
    }

    /// For `#[serde(skip_serializing_if)]`.
    #[allow(clippy::ref_option, reason = "the signature that serde calls")]
    pub(crate) fn is_left_out(secret: &Option<Secret>) -> bool {
        secret.as_ref().is_none_or(Secret::is_empty)
    }
}

/// The text of a JSON value; `null` is the empty text, and a value that is not a text is `None`. `serde_json` unescapes a text
/// in memory of its own, which it frees without wiping: here it sees only one character at a time.
pub(crate) fn unescaped(value: &RawValue) -> Option<Secret> {
    let value = value.get();
    if value == "null" {
        return Some(Secret::default());
    }
    let mut rest = value.strip_prefix('"')?.strip_suffix('"')?;
    // No escape is shorter than what it stands for, so the text never moves.
    let mut text = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some(position) = rest.find('\\') {
        let (before, from) = rest.split_at_checked(position)?;
        let (escape, after) = from.split_at_checked(escape_len(from))?;
        text.push_str(before);
        text.push(serde_json::from_str::<char>(&format!("\"{escape}\"")).ok()?);
        rest = after;
    }
    text.push_str(rest);
    Some(Secret(text))
}

/// The length of the escape that a text begins with: two `\u` escapes stand for one character if the first is a high
/// surrogate.
fn escape_len(from: &str) -> usize {
    match from.as_bytes() {
        [_, b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..] => 12,
        [_, b'u', ..] => 6,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, PartialEq, Debug, Default)]
    #[serde(default)]
    struct Message {
        #[serde(with = "crate::secret::text")]
        token: Secret,
        #[serde(with = "crate::secret::text", skip_serializing_if = "Secret::is_empty")]
        hint: Secret,
    }

    fn message(token: &str, hint: &str) -> Message {
        Message { token: token.into(), hint: hint.into() }
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        assert_eq!(format!("{:?} {:#?}", Secret::from("hunter2"), Secret::default()), "Secret(..) Secret(..)");
        assert!(!format!("{:?}", message("hunter2", "hunter3")).contains("hunter"));
    }

    #[test]
    fn equal_means_the_same_text() {
        assert_eq!(Secret::from("abc"), Secret::from("abc".to_owned()));
        for other in ["", "ab", "abd", "abcd", "ABC"] {
            assert_ne!(Secret::from("abc"), Secret::from(other), "{other}");
        }
    }

    #[test]
    fn trimming_keeps_what_has_no_white_space_around_it() {
        let text = "abc".to_owned();
        let address = text.as_ptr();
        let kept = Secret::from(text).trimmed();
        assert_eq!((kept.expose_secret(), kept.expose_secret().as_ptr()), ("abc", address));
        assert_eq!(Secret::from(" abc\n").trimmed(), kept);
    }

    #[cfg(feature = "capi")]
    #[test]
    fn wiped_bytes_are_zero() {
        let mut bytes = [7; 100];
        wipe(&mut bytes);
        assert_eq!(bytes, [0; 100]);
    }

    #[test]
    fn members_are_read_and_written_as_texts() {
        for (json, expected) in [
            (r#"{"token":"a\"b","hint":"h"}"#, message("a\"b", "h")),
            (r#"{"token":"","hint":""}"#, message("", "")),
            (r#"{"token":null,"hint":null}"#, message("", "")),
            (r#"{}"#, message("", "")),
            (
                r#"{"token":"\u00e9\ud83d\uDE00x\\\n\/\b\f\r\t\"","hint":"\u003c&é"}"#,
                message("é😀x\\\n/\u{8}\u{c}\r\t\"", "<&é"),
            ),
        ] {
            assert_eq!(serde_json::from_str::<Message>(json).unwrap(), expected, "{json}");
        }
        for no_text in [
            "7",
            "true",
            "[]",
            "{}",
            r#"["a"]"#,
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00""#,
            r#""\ud83dx""#,
            r#""\x""#,
            "\"\n\"",
        ] {
            assert!(serde_json::from_str::<Message>(&format!(r#"{{"token":{no_text}}}"#)).is_err(), "{no_text}");
        }
        assert_eq!(serde_json::to_string(&message("t", "")).unwrap(), r#"{"token":"t"}"#);
        assert_eq!(serde_json::to_string(&message("t", "h")).unwrap(), r#"{"token":"t","hint":"h"}"#);
    }
}
