//! Leases that a provider signed under its own license, and the signature check that supports them.

use super::claim_values as values;
use super::claims::RawClaims;
use super::license::VerifiedLicense;
use super::provider_term::ProviderTerm;
use super::signed_claims::{ClaimedToken, SignedClaims};
use crate::error::{Error, Result};
use crate::keys::{PublicKey, TrustKeys};
use crate::time::UnixTime;
use crate::token_kind::TokenKind;

/// Checks who signed a token: the configured keys, or, for a lease with a provider license, that provider.
///
/// # Errors
/// As [`ClaimedToken::verify`]; [`Error::ProviderChain`] with the cause; errors of the license's own signature.
pub(super) fn verify_signature<'a>(
    claimed: ClaimedToken<'a>,
    keys: &TrustKeys,
    now: UnixTime,
) -> Result<SignedClaims<'a>> {
    if claimed.kind != TokenKind::Lease {
        return claimed.verify(keys);
    }
    match provider_license(&claimed.raw)? {
        None => claimed.verify(keys),
        Some(license) => {
            let (key, term) = provider_key(license, keys, now)?;
            claimed.verify_under(&key, term)
        }
    }
}

/// Whether a token has to be checked by itself, because no configured key signed it.
pub(super) fn is_provider_chained(claimed: &ClaimedToken<'_>) -> bool {
    claimed.kind == TokenKind::Lease && !matches!(provider_license(&claimed.raw), Ok(None))
}

/// The license that a provider signed this lease under, if there is one.
fn provider_license<'a>(raw: &'a RawClaims<'_>) -> Result<Option<&'a str>> {
    let license = values::peek_text("provider_license", raw.provider_license.as_ref())?;
    Ok(license.filter(|license| !license.is_empty()))
}

/// The key that a provider's license entitles to sign leases, and how long it does.
fn provider_key(license: &str, keys: &TrustKeys, now: UnixTime) -> Result<(PublicKey, ProviderTerm)> {
    let refused = |source: Error| Error::ProviderChain { source: Box::new(source) };
    // An expired provider license must not look like an expired lease, which a refresh would repair.
    let license = VerifiedLicense::verify(license, keys, now).map_err(|error| match error {
        Error::Expired { .. } => refused(error),
        other => other,
    })?;
    let claims = license.claims();
    if claims.tier != "msp" {
        return Err(refused(Error::ClaimValue { claim: "tier", expected: "msp", received: claims.tier.clone() }));
    }
    match claims.entitlement_signing_public_key.as_deref() {
        None => Err(refused(Error::ClaimMissing { claim: "entitlement_signing_public_key" })),
        Some(key) => Ok((PublicKey::from_base64(key).map_err(refused)?, license.provider_term())),
    }
}
