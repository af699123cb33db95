//! Many tokens at once: parsed one by one, their signatures checked together, and again one by one from there.

use super::provider_chain::{is_provider_chained, verify_signature};
use super::signed_claims::{ClaimedToken, SignedClaims, keys_of};
use crate::error::Result;
use crate::keys::TrustKeys;
use crate::time::UnixTime;
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// Verifies each token as the requested kind, or else as the kind that its claims name, and passes its claims to
/// `finish`. Each result is what the token would have on its own.
pub(super) fn verify_all<T>(
    tokens: &[&str],
    asked: Option<TokenKind>,
    keys: &TrustKeys,
    now: UnixTime,
    finish: impl Fn(SignedClaims<'_>) -> Result<T>,
) -> Vec<Result<T>> {
    let parsed: Vec<Result<UnverifiedToken<'_>>> = tokens.iter().map(|token| UnverifiedToken::parse(token)).collect();
    let claimed: Vec<Result<ClaimedToken<'_>>> =
        parsed.iter().map(|token| ClaimedToken::read(token.as_ref().map_err(Clone::clone)?, asked)).collect();
    let verdicts = check_signatures(&claimed, keys);
    claimed
        .into_iter()
        .zip(verdicts)
        .map(|(claimed, verdict)| {
            let claimed = claimed?;
            let signed = match verdict {
                Some(verdict) => claimed.signed(verdict, None)?,
                None => verify_signature(claimed, keys, now)?,
            };
            finish(signed)
        })
        .collect()
}

/// The verdict on each token's signature; `None` for a token that has to be checked on its own.
fn check_signatures(claimed: &[Result<ClaimedToken<'_>>], keys: &TrustKeys) -> Vec<Option<Result<()>>> {
    let mut verdicts: Vec<Option<Result<()>>> = vec![None; claimed.len()];
    for kind in [TokenKind::Lease, TokenKind::License, TokenKind::Grant] {
        let (batch, slots): (Vec<_>, Vec<_>) = claimed
            .iter()
            .zip(&mut verdicts)
            .filter_map(|(claimed, verdict)| Some((claimed.as_ref().ok()?, verdict)))
            .filter(|(claimed, _)| claimed.kind == kind && !is_provider_chained(claimed))
            .map(|(claimed, verdict)| (claimed.token, verdict))
            .unzip();
        for (slot, verdict) in slots.into_iter().zip(UnverifiedToken::verify_bulk(&batch, keys_of(kind, keys), kind)) {
            *slot = Some(verdict);
        }
    }
    verdicts
}
