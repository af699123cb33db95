//! The claims of a hosted entitlement lease, as issuers write them (formats.md#lease-claims).

use core::fmt;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::capability::Capability;
use super::claim_values as values;
use super::claims::RawClaims;
use super::claims_text::claims_text;
use super::host::InstanceHost;
use super::state::SubscriptionState;
use crate::error::{Error, Result};
use crate::json::{self, Json, WriteJson};
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::token_kind::{LEASE_AUDIENCE, LEASE_ISSUER};

/// The claims of a lease. Issuer and audience are the same in every lease, so there is no field for them.
///
/// As signed, these are what the issuer said; in a [`super::VerifiedLease`] they are normalized: organization trimmed,
/// host and plan in their normal form, limits scrubbed, capabilities reduced if a provider chain limits them.
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::entitlement::{Capability, InstanceHost, LeaseClaims};
///
/// let host = InstanceHost::normalize("t-abc.cloud.example.test")?;
/// let mut claims = LeaseClaims::new(&host, UnixTime::from_secs(1_800_000_000));
/// claims.capabilities = vec![Capability::RELAY];
/// assert_eq!(LeaseClaims::from_json(claims.secret_json().expose_secret())?, claims);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseClaims {
    /// Organization: `default` for hosted tenants.
    pub org_id: String,
    /// Contact only, never an identity.
    pub email: Option<String>,
    /// The host the lease is for.
    pub instance_host: String,
    /// The plan; may be empty.
    pub plan_version: String,
    /// The state of the subscription.
    pub subscription_state: SubscriptionState,
    /// What the lease grants, in the issuer's order.
    pub capabilities: Vec<Capability>,
    /// Limits by name.
    pub limits: BTreeMap<String, i64>,
    /// Meters that are on.
    pub meters_enabled: Vec<String>,
    /// Start of the trial.
    pub trial_started_at: Option<UnixTime>,
    /// End of the trial.
    pub trial_ends_at: Option<UnixTime>,
    /// **Secret**: a whole license token that entitles a provider to sign this lease.
    pub provider_license: Option<Secret>,
    /// Subject.
    pub sub: Option<String>,
    /// Expiry: the lease holds while `now < exp`.
    pub exp: UnixTime,
    /// Not before.
    pub nbf: Option<UnixTime>,
    /// Issued at. Never compared with the clock.
    pub iat: Option<UnixTime>,
    /// Token id.
    pub jti: Option<String>,
}

claims_text!(LeaseClaims);

impl LeaseClaims {
    /// An active lease of organization `default` for this host, with nothing else granted.
    pub fn new(instance_host: &InstanceHost, exp: UnixTime) -> Self {
        Self {
            org_id: "default".to_owned(),
            email: None,
            instance_host: instance_host.as_str().to_owned(),
            plan_version: String::new(),
            subscription_state: SubscriptionState::Active,
            capabilities: Vec::new(),
            limits: BTreeMap::new(),
            meters_enabled: Vec::new(),
            trial_started_at: None,
            trial_ends_at: None,
            provider_license: None,
            sub: None,
            exp,
            nbf: None,
            iat: None,
            jti: None,
        }
    }

    /// **Secret** where a provider's license is among them: the claims as issuers write them, compact JSON in their order.
    pub fn secret_json(&self) -> Secret {
        json::text_of(&Json(self)).into()
    }

    /// The claims without `provider_license`, which is a credential: for a screen. Otherwise as
    /// [`LeaseClaims::secret_json`].
    pub fn display_json(&self) -> String {
        json::text_of(&Json(&WithoutCredential(self)))
    }

    /// Refuses claims that no verifier would accept.
    fn check_signable(&self) -> Result<()> {
        if self.org_id.trim().is_empty() {
            return Err(Error::OrgMissing);
        }
        InstanceHost::normalize(&self.instance_host).map(drop)
    }

    /// The claims as the token has them, nothing normalized.
    pub(super) fn from_raw(raw: RawClaims<'_>) -> Result<Self> {
        let state = values::text("subscription_state", raw.subscription_state)?.unwrap_or_default();
        Ok(Self {
            org_id: values::text("org_id", raw.org_id)?.unwrap_or_default().into_owned(),
            email: values::optional_text("email", raw.email)?,
            instance_host: values::text("instance_host", raw.instance_host)?.unwrap_or_default().into_owned(),
            plan_version: values::text("plan_version", raw.plan_version)?.unwrap_or_default().into_owned(),
            subscription_state: SubscriptionState::from_name(&state),
            capabilities: values::capabilities("capabilities", raw.capabilities)?,
            limits: values::limits(raw.limits)?,
            meters_enabled: values::texts("meters_enabled", raw.meters_enabled)?,
            trial_started_at: values::time("trial_started_at", raw.trial_started_at)?,
            trial_ends_at: values::time("trial_ends_at", raw.trial_ends_at)?,
            provider_license: values::optional_text("provider_license", raw.provider_license)?.map(Secret::from),
            sub: values::optional_text("sub", raw.sub)?,
            exp: values::time("exp", raw.exp)?.ok_or(Error::ClaimMissing { claim: "exp" })?,
            nbf: values::time("nbf", raw.nbf)?,
            iat: values::time("iat", raw.iat)?,
            jti: values::optional_text("jti", raw.jti)?,
        })
    }
}

impl WriteJson for LeaseClaims {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write_with(self.provider_license.as_ref(), serializer)
    }
}

struct WithoutCredential<'a>(&'a LeaseClaims);

impl WriteJson for WithoutCredential<'_> {
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write_with(None, serializer)
    }
}

impl LeaseClaims {
    fn write_with<S: Serializer>(&self, provider_license: Option<&Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("org_id", &self.org_id)?;
        serialize_some(&mut map, "email", self.email.as_ref())?;
        map.serialize_entry("instance_host", &self.instance_host)?;
        map.serialize_entry("plan_version", &self.plan_version)?;
        map.serialize_entry("subscription_state", self.subscription_state.as_str())?;
        serialize_some(
            &mut map,
            "capabilities",
            Some(&self.capabilities).filter(|list| !list.is_empty()).map(Json).as_ref(),
        )?;
        serialize_some(&mut map, "limits", Some(&self.limits).filter(|limits| !limits.is_empty()))?;
        serialize_some(&mut map, "meters_enabled", Some(&self.meters_enabled).filter(|list| !list.is_empty()))?;
        serialize_some(&mut map, "trial_started_at", self.trial_started_at.map(UnixTime::as_secs).as_ref())?;
        serialize_some(&mut map, "trial_ends_at", self.trial_ends_at.map(UnixTime::as_secs).as_ref())?;
        serialize_some(&mut map, "provider_license", provider_license.map(Secret::expose_secret))?;
        map.serialize_entry("iss", LEASE_ISSUER)?;
        serialize_some(&mut map, "sub", self.sub.as_ref())?;
        map.serialize_entry("aud", &[LEASE_AUDIENCE])?;
        map.serialize_entry("exp", &self.exp.as_secs())?;
        serialize_some(&mut map, "nbf", self.nbf.map(UnixTime::as_secs).as_ref())?;
        serialize_some(&mut map, "iat", self.iat.map(UnixTime::as_secs).as_ref())?;
        serialize_some(&mut map, "jti", self.jti.as_ref())?;
        map.end()
    }
}

/// Leaves out whatever identifies a credential or a person.
impl fmt::Debug for LeaseClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseClaims")
            .field("org_id", &self.org_id)
            .field("instance_host", &self.instance_host)
            .field("plan_version", &self.plan_version)
            .field("subscription_state", &self.subscription_state)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

fn serialize_some<M: SerializeMap, T: Serialize + ?Sized>(
    map: &mut M,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}
