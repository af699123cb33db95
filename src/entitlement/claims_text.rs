//! Claims as text: read from JSON, and signed.

use crate::error::{Error, Result};

/// Refuses claims if one that every verifier requires is empty.
///
/// # Errors
/// [`Error::ClaimMissing`].
pub(super) fn require_texts<const N: usize>(claims: [(&'static str, &String); N]) -> Result<()> {
    match claims.into_iter().find(|(_, text)| text.is_empty()) {
        Some((claim, _)) => Err(Error::ClaimMissing { claim }),
        None => Ok(()),
    }
}

/// Gives a kind's claims their way from JSON and to a signed token.
macro_rules! claims_text {
    ($claims:ident) => {
        impl $claims {
            /// Reads claims written as JSON, to sign them. What is the same in every token of the kind may be left out.
            ///
            /// # Errors
            /// [`Error::PayloadMalformed`](crate::Error::PayloadMalformed),
            /// [`Error::ClaimType`](crate::Error::ClaimType), [`Error::ClaimMissing`](crate::Error::ClaimMissing).
            pub fn from_json(text: &str) -> $crate::error::Result<Self> {
                Self::from_raw(super::claims::RawClaims::parse(text)?)
            }

            /// Signs the claims as they are.
            ///
            /// # Errors
            /// If no verifier would accept them: [`Error::TokenTooLarge`](crate::Error::TokenTooLarge);
            /// [`Error::ClaimMissing`](crate::Error::ClaimMissing) of a license or grant;
            /// [`Error::OrgMissing`](crate::Error::OrgMissing) and [`Error::HostInvalid`](crate::Error::HostInvalid) of
            /// a lease.
            pub fn sign(&self, key: &$crate::keys::SigningKey) -> $crate::error::Result<$crate::Secret> {
                $crate::token::sign(key, &self.signable()?)
            }

            /// Signs the claims as they are, under a header that names the key, so that a verifier with several keys
            /// tries only that one.
            ///
            /// # Errors
            /// As [`Self::sign`].
            pub fn sign_with_key_id(&self, key: &$crate::keys::SigningKey) -> $crate::error::Result<$crate::Secret> {
                $crate::token::sign_with_key_id(key, &self.signable()?)
            }

            /// The text to sign, if a verifier would accept it.
            pub(crate) fn signable(&self) -> $crate::error::Result<zeroize::Zeroizing<String>> {
                self.check_signable()?;
                Ok($crate::json::text_of(&$crate::json::Json(self)).into())
            }
        }
    };
}

pub(super) use claims_text;
