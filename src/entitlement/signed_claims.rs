//! The only path from a token's text to claims whose signature was verified: parse, determine the kind, verify under
//! the keys of that kind.

use super::claims::RawClaims;
use super::provider_term::ProviderTerm;
use crate::error::{Error, Result};
use crate::keys::{PublicKey, TrustKeySet, TrustKeys};
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// A token and its claims. **None of it was verified.**
pub(super) struct ClaimedToken<'a> {
    pub(super) token: &'a UnverifiedToken<'a>,
    pub(super) raw: RawClaims<'a>,
    pub(super) kind: TokenKind,
}

impl<'a> ClaimedToken<'a> {
    /// Reads a token as the requested kind, whatever its claims say, or, if none is requested, as the kind that its
    /// claims name.
    ///
    /// # Errors
    /// [`Error::PayloadMalformed`], [`Error::TokenKindUnknown`].
    pub(super) fn read(token: &'a UnverifiedToken<'a>, asked: Option<TokenKind>) -> Result<Self> {
        let raw = RawClaims::parse(token.unverified_payload())?;
        let kind = asked.or_else(|| raw.kind()).ok_or(Error::TokenKindUnknown)?;
        Ok(Self { token, raw, kind })
    }

    /// Verifies the signature under the keys that are configured for the token's kind.
    ///
    /// # Errors
    /// As [`UnverifiedToken::verify`]; [`Error::ClaimType`] if a name appears twice inside a claim.
    pub(super) fn verify(self, keys: &TrustKeys) -> Result<SignedClaims<'a>> {
        let verdict = self.token.verify(keys_of(self.kind, keys), self.kind);
        self.signed(verdict, None)
    }

    /// Verifies the signature under a provider's key, which a license of this term vouches for.
    ///
    /// # Errors
    /// As [`ClaimedToken::verify`].
    pub(super) fn verify_under(self, key: &PublicKey, term: ProviderTerm) -> Result<SignedClaims<'a>> {
        let verdict = self.token.verify_under(key, self.kind);
        self.signed(verdict, Some(term))
    }

    /// The claims, if the signature verifies.
    pub(super) fn signed(self, verdict: Result<()>, provider: Option<ProviderTerm>) -> Result<SignedClaims<'a>> {
        verdict?;
        self.raw.check_names()?;
        Ok(SignedClaims { raw: self.raw, kind: self.kind, provider })
    }
}

impl UnverifiedToken<'_> {
    /// The kind that the claims name, for a log or for display: **none of it was verified**.
    ///
    /// ```
    /// use pulse_trust::TokenKind;
    /// use pulse_trust::keys::SigningKey;
    /// use pulse_trust::token::{UnverifiedToken, sign};
    ///
    /// let token = sign(&SigningKey::from_seed(&[7; 32])?, r#"{"lid":"L-1"}"#)?;
    /// assert_eq!(UnverifiedToken::parse(token.expose_secret())?.unverified_kind(), Ok(TokenKind::License));
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::PayloadMalformed`], [`Error::TokenKindUnknown`].
    pub fn unverified_kind(&self) -> Result<TokenKind> {
        ClaimedToken::read(self, None).map(|claimed| claimed.kind)
    }
}

/// Claims whose signature was verified. Nothing else about them was checked.
pub(super) struct SignedClaims<'a> {
    pub(super) raw: RawClaims<'a>,
    pub(super) kind: TokenKind,
    /// The term of the license under which a provider signed them, if one did.
    pub(super) provider: Option<ProviderTerm>,
}

impl SignedClaims<'_> {
    /// Refuses claims of a kind other than that of the keys they were verified under: even if one key serves two kinds,
    /// a token of one never passes as the other.
    ///
    /// # Errors
    /// [`Error::TokenKind`].
    pub(super) fn check_kind(&self) -> Result<()> {
        match self.raw.kind() {
            Some(received) if received != self.kind => Err(Error::TokenKind { expected: self.kind, received }),
            _ => Ok(()),
        }
    }
}

/// The keys under which a kind of token verifies.
pub(super) fn keys_of(kind: TokenKind, keys: &TrustKeys) -> &TrustKeySet {
    match kind {
        TokenKind::Lease => &keys.lease,
        TokenKind::License | TokenKind::Grant => &keys.license,
    }
}
