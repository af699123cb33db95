//! The claims of a license (formats.md#license).

use core::fmt;
use std::collections::BTreeMap;

use super::capability::Capability;
use super::claim_values as values;
use super::claims::RawClaims;
use super::claims_text::{claims_text, require_texts};
use super::state::SubscriptionState;
use crate::error::Result;
use crate::json::{self, Json, json_struct};
use crate::time::{UnixTime, serialize_optional_secs};

json_struct! {
    /// The claims of a license.
    ///
    /// ```
    /// use pulse_trust::entitlement::LicenseClaims;
    /// let claims = LicenseClaims::from_json(r#"{"lid":"lic_1","email":"me@example.test","tier":"relay"}"#)?;
    /// assert_eq!(claims.exp, None, "a lifetime license");
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    #[form(Serialize in LicenseClaimsJson of "LicenseClaims")]
    pub struct LicenseClaims {
        /// License id.
        pub lid: String,
        /// Contact.
        pub email: String,
        /// Tier name.
        pub tier: String,
        /// Issued at.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_secs")]
        pub iat: Option<UnixTime>,
        /// Expiry; `None` is a lifetime license.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_secs")]
        pub exp: Option<UnixTime>,
        /// End of the paid period.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_secs")]
        pub license_period_end: Option<UnixTime>,
        /// Features in addition to the tier's.
        #[serde(skip_serializing_if = "Vec::is_empty", with = "crate::json::form")]
        pub features: Vec<Capability>,
        /// Guests allowed; 0 is unlimited.
        #[serde(skip_serializing_if = "is_zero")]
        pub max_guests: i64,
        /// Users allowed; 0 is unlimited.
        #[serde(skip_serializing_if = "is_zero")]
        pub max_users: i64,
        /// If not empty, these replace the tier's capabilities.
        #[serde(skip_serializing_if = "Vec::is_empty", with = "crate::json::form")]
        pub capabilities: Vec<Capability>,
        /// Limits by name.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        pub limits: BTreeMap<String, i64>,
        /// Meters that are on.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub meters_enabled: Vec<String>,
        /// The plan; canonical once verified.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub plan_version: String,
        /// The state; absent is `active`.
        #[serde(with = "crate::json::form")]
        pub subscription_state: SubscriptionState,
        /// The key, in base64, that verifies the leases which an MSP signs.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub entitlement_signing_public_key: Option<String>,
    }
}

claims_text!(LicenseClaims);

impl LicenseClaims {
    /// The claims as issuers write them: compact JSON, in their order.
    pub fn to_json(&self) -> String {
        json::text_of(&Json(self))
    }

    /// Refuses claims that no verifier would accept.
    fn check_signable(&self) -> Result<()> {
        require_texts([("lid", &self.lid), ("email", &self.email), ("tier", &self.tier)])
    }

    pub(super) fn from_raw(raw: RawClaims<'_>) -> Result<Self> {
        let state = values::optional_text("subscription_state", raw.subscription_state)?;
        Ok(Self {
            lid: values::required_text("lid", raw.lid)?,
            email: values::required_text("email", raw.email)?,
            tier: values::required_text("tier", raw.tier)?,
            iat: values::time("iat", raw.iat)?,
            exp: values::time("exp", raw.exp)?.filter(|exp| exp.as_secs() != 0),
            license_period_end: values::time("license_period_end", raw.license_period_end)?,
            features: values::capabilities("features", raw.features)?,
            max_guests: values::integer("max_guests", raw.max_guests)?.unwrap_or_default(),
            max_users: values::integer("max_users", raw.max_users)?.unwrap_or_default(),
            capabilities: values::capabilities("capabilities", raw.capabilities)?,
            limits: values::limits(raw.limits)?,
            meters_enabled: values::texts("meters_enabled", raw.meters_enabled)?,
            plan_version: values::optional_text("plan_version", raw.plan_version)?.unwrap_or_default(),
            subscription_state: SubscriptionState::from_name(state.as_deref().unwrap_or("active")),
            entitlement_signing_public_key: values::optional_text(
                "entitlement_signing_public_key",
                raw.entitlement_signing_public_key,
            )?,
        })
    }
}

/// Leaves out the contact.
impl fmt::Debug for LicenseClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LicenseClaims")
            .field("lid", &self.lid)
            .field("tier", &self.tier)
            .field("exp", &self.exp)
            .field("subscription_state", &self.subscription_state)
            .finish_non_exhaustive()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(count: &i64) -> bool {
    *count == 0
}
