//! Size, shape, header and payload bytes of a compact token.

use core::fmt;

use super::header::parse_header;
use crate::encoding;
use crate::error::{Error, Result};
use crate::keys::{PublicKey, SignedText, TrustKeySet};
use crate::token_kind::TokenKind;

/// The longest token that is accepted, in bytes: the deployed limit.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;
/// The longest segment of a token that is accepted, in bytes: the deployed limit.
pub const MAX_SEGMENT_LEN: usize = 8 * 1024;

/// A token whose size, shape and header are right, and whose payload is decoded. **Nothing in it was verified.**
///
/// ```
/// use pulse_trust::TokenKind;
/// use pulse_trust::keys::{SigningKey, TrustKeySet};
/// use pulse_trust::token::{UnverifiedToken, sign};
///
/// let key = SigningKey::generate()?;
/// let text = sign(&key, r#"{"lid":"lic_1"}"#)?;
/// let token = UnverifiedToken::parse(text.expose_secret())?;
/// assert_eq!(token.unverified_payload(), r#"{"lid":"lic_1"}"#);
/// token.verify(&TrustKeySet::new([key.public_key().clone()]), TokenKind::License)?;
/// assert!(token.verify(&TrustKeySet::default(), TokenKind::License).is_err());
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub struct UnverifiedToken<'a> {
    signed: &'a str,
    signature: [u8; 64],
    kid: Option<String>,
    payload: String,
}

impl<'a> UnverifiedToken<'a> {
    /// Splits and decodes a token. Limits are checked before anything is decoded; nothing is trimmed.
    ///
    /// # Errors
    /// [`Error::TokenTooLarge`], [`Error::TokenMalformed`], [`Error::TokenHeader`].
    pub fn parse(token: &'a str) -> Result<Self> {
        check_size("token", token, MAX_TOKEN_LEN)?;
        let malformed = |reason| Error::TokenMalformed { reason };
        let shape = || malformed("expected three segments joined by two dots");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(shape)?;
        let (header, payload) = signed.split_once('.').ok_or_else(shape)?;
        if payload.contains('.') {
            return Err(shape());
        }
        for (what, segment) in
            [("header segment", header), ("payload segment", payload), ("signature segment", signature)]
        {
            if segment.is_empty() {
                return Err(malformed("a segment is empty"));
            }
            check_size(what, segment, MAX_SEGMENT_LEN)?;
        }
        let kid = parse_header(header)?;
        let payload =
            encoding::base64url_decode(payload).ok_or_else(|| malformed("the payload is not strict base64url"))?;
        let payload = String::from_utf8(payload).map_err(|_| malformed("the payload is not UTF-8"))?;
        let signature = encoding::base64url_decode_exact::<64>(signature)
            .ok_or_else(|| malformed("the signature is not strict base64url of 64 bytes"))?;
        Ok(Self { signed, signature, kid, payload })
    }

    /// The payload's text, **not verified**: to see which kind of token it says it is.
    pub fn unverified_payload(&self) -> &str {
        &self.payload
    }

    /// The key id that the header names, **not verified**.
    pub fn unverified_key_id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Verifies the signature under the keys configured for a `kind` of token, by `kid` where the header has one.
    ///
    /// # Errors
    /// [`Error::KeyNotConfigured`] if `keys` is empty, [`Error::KeyUnknown`], [`Error::SignatureInvalid`].
    pub fn verify(&self, keys: &TrustKeySet, kind: TokenKind) -> Result<()> {
        if keys.is_empty() {
            return Err(Error::KeyNotConfigured { kind, setting: kind.runtime_key_setting() });
        }
        keys.verify(&self.signed_text(), kind)
    }

    /// Verifies many tokens of one kind: each result is that of [`UnverifiedToken::verify`], in a fraction of the time.
    pub fn verify_bulk(tokens: &[&Self], keys: &TrustKeySet, kind: TokenKind) -> Vec<Result<()>> {
        if keys.is_empty() {
            return vec![Err(Error::KeyNotConfigured { kind, setting: kind.runtime_key_setting() }); tokens.len()];
        }
        let signed: Vec<SignedText<'_>> = tokens.iter().map(|token| token.signed_text()).collect();
        keys.verify_bulk(&signed, kind)
    }

    /// Verifies the signature under one key that a configured key vouches for; the header's `kid` says nothing there
    /// ([formats: provider-chained lease](crate::_documentation::formats#provider-chained-lease)).
    ///
    /// # Errors
    /// [`Error::SignatureInvalid`].
    pub fn verify_under(&self, key: &PublicKey, kind: TokenKind) -> Result<()> {
        if key.verify(self.signed.as_bytes(), &self.signature) { Ok(()) } else { Err(Error::SignatureInvalid { kind }) }
    }

    fn signed_text(&self) -> SignedText<'_> {
        SignedText { kid: self.kid.as_deref(), text: self.signed.as_bytes(), signature: &self.signature }
    }
}

/// Shows no payload: it may hold an e-mail address, and the token is a credential.
impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn check_size(what: &'static str, text: &str, limit: usize) -> Result<()> {
    if text.len() > limit { Err(Error::TokenTooLarge { what, limit, received: text.len() }) } else { Ok(()) }
}
