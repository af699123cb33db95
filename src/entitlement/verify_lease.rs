//! The checks of a lease, in the order of FORMATS 2: signature or provider chain, issuer, audience, time, organization,
//! host, binding.

use serde_json::value::RawValue;

use super::capability::provider_chain_ceiling;
use super::claims::{self, RawClaims};
use super::host::InstanceHost;
use super::kind::{LEASE_KEY_SETTING, TokenKind};
use super::lease_claims::{LEASE_AUDIENCE, LEASE_ISSUER, LeaseClaims};
use super::license::VerifiedLicense;
use super::plan::{canonical_plan, scrub_limits};
use crate::error::{Error, Result};
use crate::keys::{PublicKey, TrustKeys};
use crate::time::UnixTime;
use crate::token::UnverifiedToken;

/// The most clock leeway that a caller may allow.
pub const MAX_LEEWAY_SECONDS: u32 = 300;

/// For which host a lease may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostBinding<'a> {
    /// For this host alone, in any spelling.
    Require(&'a str),
    /// For whatever host it names: a relay, which derives the instance id from that host.
    AnyHost,
}

/// What a caller asks of a lease besides its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseChecks<'a> {
    pub(super) host: HostBinding<'a>,
    pub(super) org: Option<&'a str>,
    pub(super) leeway_seconds: u32,
}

impl<'a> LeaseChecks<'a> {
    /// Of any organization, no clock leeway.
    pub const fn new(host: HostBinding<'a>) -> Self {
        Self { host, org: None, leeway_seconds: 0 }
    }

    /// Of this organization alone.
    #[must_use]
    pub const fn with_org(self, org: &'a str) -> Self {
        Self { org: Some(org), ..self }
    }

    /// Allows the clocks to differ by so many seconds, on both ends.
    ///
    /// # Errors
    /// [`Error::LeewayTooLarge`] over [`MAX_LEEWAY_SECONDS`].
    pub const fn with_leeway(self, seconds: u32) -> Result<Self> {
        if seconds > MAX_LEEWAY_SECONDS {
            return Err(Error::LeewayTooLarge { limit: MAX_LEEWAY_SECONDS, received: seconds });
        }
        Ok(Self { leeway_seconds: seconds, ..self })
    }
}

/// Whether time counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeRule {
    Enforce,
    Ignore,
}

/// The normalized claims of a lease that passed every check.
pub(super) struct CheckedLease {
    pub(super) claims: LeaseClaims,
    pub(super) host: InstanceHost,
    pub(super) provider_chained: bool,
}

/// Runs every check.
pub(super) fn check_lease(
    token: &UnverifiedToken<'_>,
    raw: RawClaims<'_>,
    keys: &TrustKeys,
    checks: &LeaseChecks<'_>,
    now: UnixTime,
    time: TimeRule,
) -> Result<CheckedLease> {
    let provider_license = claims::peek_text("provider_license", raw.provider_license.as_ref())?;
    let provider_chained = match provider_license {
        None | Some("") => {
            token.verify(&keys.lease, TokenKind::Lease.as_str(), LEASE_KEY_SETTING)?;
            false
        }
        Some(license) => {
            token.verify_under(&provider_key(license, keys, now)?, TokenKind::Lease.as_str())?;
            true
        }
    };
    check_issuer(&raw)?;
    check_audience(raw.aud)?;
    let mut claims = LeaseClaims::from_raw(raw)?;
    if time == TimeRule::Enforce {
        check_time(&claims, checks.leeway_seconds, now)?;
    }
    check_org(&mut claims, checks.org)?;
    let host = check_host(&mut claims, checks.host)?;
    normalize(&mut claims, provider_chained);
    Ok(CheckedLease { claims, host, provider_chained })
}

/// Whether a lease with these claims is in term.
pub(super) fn check_time(claims: &LeaseClaims, leeway_seconds: u32, now: UnixTime) -> Result<()> {
    let leeway = i64::from(leeway_seconds);
    let seconds = now.as_secs();
    if seconds >= claims.exp.saturating_add(leeway) {
        return Err(Error::Expired { kind: TokenKind::Lease.as_str(), expired_at: claims.exp, now: seconds });
    }
    match claims.nbf {
        Some(not_before) if seconds < not_before.saturating_sub(leeway) => {
            Err(Error::NotYetValid { not_before, now: seconds })
        }
        _ => Ok(()),
    }
}

/// The key that a provider's license entitles to sign leases (FORMATS 3.4).
fn provider_key(license: &str, keys: &TrustKeys, now: UnixTime) -> Result<PublicKey> {
    let refused = |reason: String| Error::ProviderChain { reason };
    // An expired provider license is not the lease's own expiry, which a refresh would heal.
    let license = VerifiedLicense::verify(license, keys, now).map_err(|error| match error {
        Error::Expired { .. } => refused(error.to_string()),
        other => other,
    })?;
    let claims = license.claims();
    if claims.tier != "msp" {
        return Err(refused(format!("expected tier msp, received {:?}", claims.tier)));
    }
    match claims.entitlement_signing_public_key.as_deref() {
        None => Err(refused("claim entitlement_signing_public_key is missing".to_owned())),
        Some(key) => PublicKey::from_base64(key).map_err(|error| refused(error.to_string())),
    }
}

fn check_issuer(raw: &RawClaims<'_>) -> Result<()> {
    match claims::peek_text("iss", raw.iss.as_ref())? {
        None => Err(Error::ClaimMissing { claim: "iss" }),
        Some(issuer) if issuer == LEASE_ISSUER => Ok(()),
        Some(issuer) => Err(Error::IssuerMismatch { expected: LEASE_ISSUER, received: issuer.to_owned() }),
    }
}

fn check_audience(audience: Option<&RawValue>) -> Result<()> {
    let expected = "a text or a list of texts";
    let Some(audience) = audience.filter(|value| value.get() != "null") else {
        return Err(Error::ClaimMissing { claim: "aud" });
    };
    let list = if audience.get().starts_with('[') {
        claims::texts("aud", Some(audience))?
    } else {
        vec![serde_json::from_str(audience.get()).map_err(|_| Error::ClaimType { claim: "aud", expected })?]
    };
    match list.as_slice() {
        [] => Err(Error::ClaimMissing { claim: "aud" }),
        [only] if only == LEASE_AUDIENCE => Ok(()),
        _ => Err(Error::AudienceMismatch { expected: LEASE_AUDIENCE, received: format!("{list:?}") }),
    }
}

fn check_org(claims: &mut LeaseClaims, expected: Option<&str>) -> Result<()> {
    trim_in_place(&mut claims.org_id);
    if claims.org_id.is_empty() {
        return Err(Error::OrgMissing);
    }
    match expected {
        Some(expected) if expected.trim() != claims.org_id => {
            Err(Error::OrgMismatch { expected: expected.trim().to_owned(), received: claims.org_id.clone() })
        }
        _ => Ok(()),
    }
}

fn check_host(claims: &mut LeaseClaims, binding: HostBinding<'_>) -> Result<InstanceHost> {
    if claims.instance_host.trim().is_empty() {
        return Err(Error::HostMissing);
    }
    let host = InstanceHost::normalize(&claims.instance_host)?;
    if let HostBinding::Require(expected) = binding {
        let expected = InstanceHost::normalize(expected)?;
        if expected != host {
            return Err(Error::HostMismatch { expected: expected.to_string(), received: host.to_string() });
        }
    }
    if claims.instance_host != host.as_str() {
        claims.instance_host = host.as_str().to_owned();
    }
    Ok(host)
}

fn normalize(claims: &mut LeaseClaims, provider_chained: bool) {
    let plan = canonical_plan(&claims.plan_version);
    if plan != claims.plan_version {
        claims.plan_version = plan.into_owned();
    }
    scrub_limits(&claims.plan_version, &mut claims.limits);
    if provider_chained {
        let ceiling = provider_chain_ceiling();
        claims.capabilities.retain(|capability| ceiling.contains(capability));
    }
}

fn trim_in_place(text: &mut String) {
    if text.trim().len() != text.len() {
        *text = text.trim().to_owned();
    }
}
