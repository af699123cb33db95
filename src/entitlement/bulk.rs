//! Many tokens at once: parsed one by one, their signatures checked together, and again one by one from there.

use super::claims::RawClaims;
use super::verify_lease::{check_signature, provider_license};
use crate::error::Result;
use crate::keys::TrustKeys;
use crate::time::UnixTime;
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// Verifies each token as the kind that `kind_of` says, and makes of its claims what `finish` makes of them. `finish`
/// gets the outcome of the signature check: an error, or whether a provider signed.
pub(super) fn verify_all<T>(
    tokens: &[&str],
    keys: &TrustKeys,
    now: UnixTime,
    kind_of: impl Fn(&RawClaims<'_>) -> Result<TokenKind>,
    finish: impl Fn(TokenKind, RawClaims<'_>, Result<bool>) -> Result<T>,
) -> Vec<Result<T>> {
    let parsed: Vec<Result<UnverifiedToken<'_>>> = tokens.iter().map(|token| UnverifiedToken::parse(token)).collect();
    let claims: Vec<Result<Claims<'_>>> =
        parsed.iter().map(|token| Claims::read(token.as_ref().map_err(Clone::clone)?, &kind_of)).collect();
    let signatures = check_signatures(&claims, keys, now);
    claims
        .into_iter()
        .zip(signatures)
        .map(|(claims, signature)| claims.and_then(|claims| finish(claims.kind, claims.raw, signature)))
        .collect()
}

/// A token with what it says of itself.
struct Claims<'a> {
    token: &'a UnverifiedToken<'a>,
    raw: RawClaims<'a>,
    kind: TokenKind,
}

impl<'a> Claims<'a> {
    fn read(token: &'a UnverifiedToken<'a>, kind_of: impl Fn(&RawClaims<'_>) -> Result<TokenKind>) -> Result<Self> {
        let raw = RawClaims::parse(token.unverified_payload())?;
        let kind = kind_of(&raw)?;
        Ok(Self { token, raw, kind })
    }

    /// A provider's key stands in no trust set: such a lease is checked by itself.
    fn is_provider_chained(&self) -> bool {
        self.kind == TokenKind::Lease && !matches!(provider_license(&self.raw), Ok(None))
    }
}

/// For each token whether its signature counts, and whether a provider made it.
fn check_signatures(claims: &[Result<Claims<'_>>], keys: &TrustKeys, now: UnixTime) -> Vec<Result<bool>> {
    let mut results: Vec<Result<bool>> = vec![Ok(false); claims.len()];
    for (kind, keys) in
        [(TokenKind::Lease, &keys.lease), (TokenKind::License, &keys.license), (TokenKind::Grant, &keys.license)]
    {
        let (batch, slots): (Vec<_>, Vec<_>) = claims
            .iter()
            .zip(&mut results)
            .filter_map(|(claims, result)| Some((claims.as_ref().ok()?, result)))
            .filter(|(claims, _)| claims.kind == kind && !claims.is_provider_chained())
            .map(|(claims, result)| (claims.token, result))
            .unzip();
        for (slot, verdict) in slots.into_iter().zip(UnverifiedToken::verify_bulk(&batch, keys, kind)) {
            *slot = verdict.map(|()| false);
        }
    }
    for (claims, result) in claims.iter().zip(&mut results) {
        if let Some(claims) = claims.as_ref().ok().filter(|claims| claims.is_provider_chained()) {
            *result = check_signature(claims.token, &claims.raw, keys, now);
        }
    }
    results
}
