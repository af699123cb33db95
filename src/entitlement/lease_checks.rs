//! What a lease must satisfy besides its signature: issuer, audience, time, organization and host, in this order.

use serde_json::value::RawValue;

use super::capability::provider_chain_ceiling;
use super::claim_values as values;
use super::claims::RawClaims;
use super::host::InstanceHost;
use super::lease_claims::LeaseClaims;
use super::plan::{canonical_plan, scrub_limits};
use super::signed_claims::SignedClaims;
use crate::error::{Error, Result};
use crate::time::{ClockLeeway, UnixTime};
use crate::token_kind::{LEASE_AUDIENCE, LEASE_ISSUER, TokenKind};

/// Which hosts a lease may be for.
///
/// ```
/// use pulse_trust::entitlement::{HostBinding, LeaseChecks};
/// // A runtime takes a lease for its own host alone; a relay takes one for any.
/// let (runtime, relay) = (HostBinding::Require("t-abc.cloud.example.test"), HostBinding::AnyHost);
/// let checks = [LeaseChecks::new(runtime), LeaseChecks::new(relay)];
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostBinding<'a> {
    /// This host only, in any spelling that has the same normal form ([`InstanceHost`]).
    Require(&'a str),
    /// Any host that it names: for a relay, which derives the instance id from that host.
    AnyHost,
}

/// What a caller requires of a lease besides its signature.
///
/// ```
/// use pulse_trust::ClockLeeway;
/// use pulse_trust::entitlement::{HostBinding, LeaseChecks};
///
/// let checks = LeaseChecks::new(HostBinding::Require("t-abc.cloud.example.test"))
///     .with_org("default")
///     .with_leeway(ClockLeeway::MAX);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseChecks<'a> {
    pub(super) host: HostBinding<'a>,
    pub(super) org: Option<&'a str>,
    pub(super) leeway: ClockLeeway,
}

impl<'a> LeaseChecks<'a> {
    /// Any organization is accepted, and the clocks must agree.
    pub const fn new(host: HostBinding<'a>) -> Self {
        Self { host, org: None, leeway: ClockLeeway::NONE }
    }

    /// Accepts leases of this organization only.
    #[must_use]
    pub const fn with_org(self, org: &'a str) -> Self {
        Self { org: Some(org), ..self }
    }

    /// Allows the clocks to differ by this much at both ends of the lease's term and at the end of a trial.
    #[must_use]
    pub const fn with_leeway(self, leeway: ClockLeeway) -> Self {
        Self { leeway, ..self }
    }
}

/// Whether time counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeRule {
    Enforce(UnixTime),
    Ignore,
}

/// Runs every check before anything is copied out of the token. The claims are normalized.
pub(super) fn check_signed_lease(
    signed: SignedClaims<'_>,
    checks: &LeaseChecks<'_>,
    time: TimeRule,
) -> Result<(LeaseClaims, InstanceHost)> {
    let SignedClaims { raw, provider, .. } = signed;
    check_issuer(&raw)?;
    check_audience(raw.aud)?;
    if let TimeRule::Enforce(now) = time {
        LeaseTerm::of(&raw)?.check(checks.leeway, now)?;
    }
    check_org(&raw, checks.org)?;
    let host = check_host(&raw, checks.host)?;
    let mut claims = LeaseClaims::from_raw(raw)?;
    normalize(&mut claims, &host, provider.is_some());
    Ok((claims, host))
}

/// The term in which a lease counts.
pub(super) struct LeaseTerm {
    pub(super) not_before: Option<UnixTime>,
    pub(super) expires_at: UnixTime,
}

impl LeaseTerm {
    fn of(raw: &RawClaims<'_>) -> Result<Self> {
        let expires_at = values::peek_time("exp", raw.exp.as_ref())?.ok_or(Error::ClaimMissing { claim: "exp" })?;
        Ok(Self { not_before: values::peek_time("nbf", raw.nbf.as_ref())?, expires_at })
    }

    /// Whether a lease of this term counts at `now`.
    pub(super) fn check(&self, leeway: ClockLeeway, now: UnixTime) -> Result<()> {
        let leeway = leeway.as_duration();
        if now >= self.expires_at.saturating_add(leeway) {
            return Err(Error::Expired { kind: TokenKind::Lease, expired_at: self.expires_at, now });
        }
        match self.not_before {
            Some(not_before) if now < not_before.saturating_sub(leeway) => Err(Error::NotYetValid { not_before, now }),
            _ => Ok(()),
        }
    }
}

fn check_issuer(raw: &RawClaims<'_>) -> Result<()> {
    match values::peek_text("iss", raw.iss.as_ref())? {
        None => Err(Error::ClaimMissing { claim: "iss" }),
        Some(issuer) if issuer == LEASE_ISSUER => Ok(()),
        Some(issuer) => Err(Error::IssuerMismatch { expected: LEASE_ISSUER, received: issuer.to_owned() }),
    }
}

fn check_audience(audience: Option<&RawValue>) -> Result<()> {
    let Some(audience) = audience.filter(|value| value.get() != "null") else {
        return Err(Error::ClaimMissing { claim: "aud" });
    };
    match values::is_only_text("aud", audience, LEASE_AUDIENCE)? {
        None => Err(Error::ClaimMissing { claim: "aud" }),
        Some(true) => Ok(()),
        Some(false) => Err(Error::AudienceMismatch { expected: LEASE_AUDIENCE, received: audience.get().to_owned() }),
    }
}

fn check_org(raw: &RawClaims<'_>, expected: Option<&str>) -> Result<()> {
    let org = values::peek_text("org_id", raw.org_id.as_ref())?.unwrap_or_default().trim();
    if org.is_empty() {
        return Err(Error::OrgMissing);
    }
    match expected.map(str::trim) {
        Some(expected) if expected != org => {
            Err(Error::OrgMismatch { expected: expected.to_owned(), received: org.to_owned() })
        }
        _ => Ok(()),
    }
}

fn check_host(raw: &RawClaims<'_>, binding: HostBinding<'_>) -> Result<InstanceHost> {
    let claimed = values::peek_text("instance_host", raw.instance_host.as_ref())?.unwrap_or_default();
    if claimed.trim().is_empty() {
        return Err(Error::HostMissing);
    }
    let host = InstanceHost::normalize(claimed)?;
    if let HostBinding::Require(expected) = binding {
        host.check_is(expected)?;
    }
    Ok(host)
}

fn normalize(claims: &mut LeaseClaims, host: &InstanceHost, provider_chained: bool) {
    trim_in_place(&mut claims.org_id);
    if claims.instance_host != host.as_str() {
        host.as_str().clone_into(&mut claims.instance_host);
    }
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
