//! A token of any kind, verified under the keys configured for its kind.

use super::capability::Capability;
use super::claims::RawClaims;
use super::grant::VerifiedGrant;
use super::lease::VerifiedLease;
use super::license::VerifiedLicense;
use super::verify_lease::LeaseChecks;
use crate::error::{Error, Result};
use crate::json;
use crate::keys::TrustKeys;
use crate::time::UnixTime;
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// A verified lease, license or grant.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum VerifiedToken {
    /// A hosted lease.
    Lease(Box<VerifiedLease>),
    /// A classic license.
    License(Box<VerifiedLicense>),
    /// A grant.
    Grant(Box<VerifiedGrant>),
}

impl VerifiedToken {
    /// Verifies a token as the kind its claims say it is of. `checks` count for a lease.
    ///
    /// # Errors
    /// [`Error::TokenKindUnknown`]; else as the kind's own `verify`.
    pub fn verify(token: &str, keys: &TrustKeys, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        let raw = RawClaims::parse(token.unverified_payload())?;
        match raw.kind().ok_or(Error::TokenKindUnknown)? {
            TokenKind::Lease => {
                VerifiedLease::verify_parsed(&token, raw, keys, checks, now).map(Box::new).map(Self::Lease)
            }
            TokenKind::License => {
                VerifiedLicense::verify_parsed(&token, raw, keys, now).map(Box::new).map(Self::License)
            }
            TokenKind::Grant => VerifiedGrant::verify_parsed(&token, raw, keys, now).map(Box::new).map(Self::Grant),
        }
    }

    /// Verifies many tokens: each result is that of [`VerifiedToken::verify`], and so is its error. Signatures under the
    /// same key are checked together, in a fraction of the time.
    ///
    /// # Errors
    /// Each token has its own.
    pub fn verify_bulk(
        tokens: &[&str],
        keys: &TrustKeys,
        checks: &LeaseChecks<'_>,
        now: UnixTime,
    ) -> Vec<Result<Self>> {
        let kind = |raw: &RawClaims<'_>| raw.kind().ok_or(Error::TokenKindUnknown);
        super::bulk::verify_all(tokens, keys, now, kind, |kind, raw, signature| {
            let provider_chained = signature?;
            match kind {
                TokenKind::Lease => {
                    VerifiedLease::from_signed(raw, provider_chained, checks, now).map(Box::new).map(Self::Lease)
                }
                TokenKind::License => VerifiedLicense::from_signed(raw, now).map(Box::new).map(Self::License),
                TokenKind::Grant => VerifiedGrant::from_signed(raw, now).map(Box::new).map(Self::Grant),
            }
        })
    }

    /// The kind a token says it is of, **not verified**: to say in a message what was refused.
    ///
    /// # Errors
    /// As [`UnverifiedToken::parse`]; [`Error::PayloadMalformed`], [`Error::TokenKindUnknown`].
    pub fn unverified_kind(token: &str) -> Result<TokenKind> {
        let token = UnverifiedToken::parse(token)?;
        RawClaims::parse(token.unverified_payload())?.kind().ok_or(Error::TokenKindUnknown)
    }

    /// Its kind.
    pub fn kind(&self) -> TokenKind {
        match self {
            Self::Lease(_) => TokenKind::Lease,
            Self::License(_) => TokenKind::License,
            Self::Grant(_) => TokenKind::Grant,
        }
    }

    /// Whether it is in term and grants `capability` at `now`.
    ///
    /// # Errors
    /// As the kind's own `check_grants`.
    pub fn check_grants(&self, capability: &Capability, now: UnixTime) -> Result<()> {
        match self {
            Self::Lease(lease) => lease.check_grants(capability, now),
            Self::License(license) => license.check_grants(capability, now),
            Self::Grant(grant) => grant.check_grants(capability, now),
        }
    }

    /// The capabilities that count at `now`, sorted.
    pub fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        match self {
            Self::Lease(lease) => lease.capabilities_at(now),
            Self::License(license) => license.capabilities_at(now),
            Self::Grant(grant) => grant.capabilities_at(now),
        }
    }

    /// From this moment on it no longer counts, its grace included; `None` for a lifetime license.
    pub fn counts_until(&self) -> Option<UnixTime> {
        match self {
            Self::Lease(lease) => Some(lease.expires_at()),
            Self::License(license) => license.counts_until(),
            Self::Grant(grant) => Some(grant.counts_until()),
        }
    }

    /// The claims as compact JSON, normalized.
    ///
    /// # Errors
    /// None in practice.
    pub fn claims_json(&self) -> Result<String> {
        match self {
            Self::Lease(lease) => json::to_compact(lease.claims()),
            Self::License(license) => json::to_compact(license.claims()),
            Self::Grant(grant) => json::to_compact(grant.claims()),
        }
        .map_err(|error| Error::PayloadMalformed { reason: error.to_string() })
    }
}
