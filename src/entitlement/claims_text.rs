//! Claims as JSON: read to be signed, written as issuers write them, signed.

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

/// Gives a kind's claims their way from and to text, and to a signed token.
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

            /// The claims as issuers write them: compact JSON, in their order.
            pub fn to_json(&self) -> String {
                $crate::json::text_of(&$crate::json::Json(self))
            }

            /// Signs the claims as they are.
            ///
            /// # Errors
            /// If no verifier would accept them: [`Error::TokenTooLarge`](crate::Error::TokenTooLarge);
            /// [`Error::ClaimMissing`](crate::Error::ClaimMissing) of a license or grant;
            /// [`Error::OrgMissing`](crate::Error::OrgMissing) and [`Error::HostInvalid`](crate::Error::HostInvalid) of
            /// a lease.
            pub fn sign(&self, key: &$crate::keys::SigningKey) -> $crate::error::Result<$crate::Secret> {
                self.check_signable()?;
                $crate::token::sign(key, &self.to_json())
            }
        }
    };
}

pub(super) use claims_text;
