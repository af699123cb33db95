//! Signing a payload as issuers do.

use super::parse::{MAX_SEGMENT_LEN, MAX_TOKEN_LEN};
use crate::encoding::base64url_encode;
use crate::error::{Error, Result};
use crate::keys::SigningKey;
use crate::secret::Secret;

/// Signs a payload under the header `{"alg":"EdDSA","typ":"JWT"}`, which every deployed reader accepts.
///
/// # Errors
/// [`Error::TokenTooLarge`] if no reader would accept the token.
pub fn sign(key: &SigningKey, payload: &str) -> Result<Secret> {
    sign_with_header(key, r#"{"alg":"EdDSA","typ":"JWT"}"#, payload)
}

/// Signs a payload under a header that names the key, so that a reader with several keys tries only that one.
///
/// # Errors
/// As [`sign`].
pub fn sign_with_key_id(key: &SigningKey, payload: &str) -> Result<Secret> {
    let header = format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{}"}}"#, key.public_key().key_id());
    sign_with_header(key, &header, payload)
}

fn sign_with_header(key: &SigningKey, header: &str, payload: &str) -> Result<Secret> {
    let payload = base64url_encode(payload.as_bytes());
    if payload.len() > MAX_SEGMENT_LEN {
        let received = payload.len();
        return Err(Error::TokenTooLarge { what: "payload segment", limit: MAX_SEGMENT_LEN, received });
    }
    let mut token = format!("{}.{payload}", base64url_encode(header.as_bytes()));
    let signature = base64url_encode(&key.sign(token.as_bytes()));
    token.push('.');
    token.push_str(&signature);
    if token.len() > MAX_TOKEN_LEN {
        return Err(Error::TokenTooLarge { what: "token", limit: MAX_TOKEN_LEN, received: token.len() });
    }
    Ok(token.into())
}
