//! The claims of a grant, in the order issuers write them (formats.md#grant).

use core::fmt;

use serde::Serializer;

use super::capability::Capability;
use super::claim_values as values;
use super::claims::RawClaims;
use super::claims_text::{claims_text, require_texts};
use crate::error::{Error, Result};
use crate::json::{self, Json, json_struct};
use crate::time::{UnixTime, serialize_optional_secs, serialize_secs};
use crate::token_kind::LEASE_ISSUER;

json_struct! {
    /// The claims of a grant, in the order issuers write them.
    ///
    /// ```
    /// use pulse_trust::entitlement::GrantClaims;
    /// let claims = GrantClaims::from_json(r#"{"lid":"lic_1","iid":"inst_1","st":"active","tier":"relay","exp":1800000000}"#)?;
    /// assert_eq!((claims.lid.as_str(), claims.grace_until), ("lic_1", None));
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    #[form(Serialize in GrantClaimsJson of "GrantClaims")]
    pub struct GrantClaims {
        /// Issuer; not checked.
        pub iss: String,
        /// Audience; not checked.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub aud: Option<String>,
        /// License id.
        pub lid: String,
        /// Installation id; `None`, written as the empty text, makes a grant that no installation's revocation names.
        #[serde(serialize_with = "serialize_or_empty")]
        pub iid: Option<String>,
        /// License version.
        pub lv: i64,
        /// State, as the issuer names it.
        pub st: String,
        /// Tier name.
        pub tier: String,
        /// Plan.
        pub plan: String,
        /// Features in addition to the tier's.
        #[serde(with = "crate::json::form")]
        pub feat: Vec<Capability>,
        /// Guests allowed; 0 is unlimited.
        pub max_guests: i64,
        /// Users allowed; 0 is unlimited.
        pub max_users: i64,
        /// Issued at; 1970 where the claim is missing.
        #[serde(serialize_with = "serialize_secs")]
        pub iat: UnixTime,
        /// Expiry: the grant is in term while `now <= exp`.
        #[serde(serialize_with = "serialize_secs")]
        pub exp: UnixTime,
        /// End of the paid period.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_optional_secs")]
        pub current_period_end: Option<UnixTime>,
        /// End of the grace after the expiry; `None`, written as 0, is seven days after it.
        #[serde(serialize_with = "serialize_or_zero")]
        pub grace_until: Option<UnixTime>,
        /// Token id.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub jti: Option<String>,
        /// Contact only, never an identity.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub email: Option<String>,
    }
}

claims_text!(GrantClaims);

impl GrantClaims {
    /// The claims as issuers write them: compact JSON, in their order.
    pub fn to_json(&self) -> String {
        json::text_of(&Json(self))
    }

    /// Refuses claims that no verifier would accept.
    fn check_signable(&self) -> Result<()> {
        require_texts([("lid", &self.lid), ("tier", &self.tier)])?;
        if self.iss == LEASE_ISSUER {
            let reason = "every verifier takes a token of a lease's issuer for a lease".to_owned();
            return Err(Error::ClaimsUnsignable { reason });
        }
        Ok(())
    }

    pub(super) fn from_raw(raw: RawClaims<'_>) -> Result<Self> {
        let text = |claim, value| values::optional_text(claim, value).map(Option::unwrap_or_default);
        let number = |claim, value| values::integer(claim, value).map(Option::unwrap_or_default);
        Ok(Self {
            iss: text("iss", raw.iss)?,
            // An audience that is not a text is not an error, as nothing checks it.
            aud: raw.aud.and_then(|aud| serde_json::from_str(aud.get()).ok()).filter(|aud: &String| !aud.is_empty()),
            lid: values::required_text("lid", raw.lid)?,
            iid: values::optional_text("iid", raw.iid)?,
            lv: number("lv", raw.lv)?,
            st: text("st", raw.st)?,
            tier: values::required_text("tier", raw.tier)?,
            plan: text("plan", raw.plan)?,
            feat: values::capabilities("feat", raw.feat)?,
            max_guests: number("max_guests", raw.max_guests)?,
            max_users: number("max_users", raw.max_users)?,
            iat: values::time("iat", raw.iat)?.unwrap_or(UnixTime::from_secs(0)),
            exp: values::time("exp", raw.exp)?.ok_or(Error::ClaimMissing { claim: "exp" })?,
            current_period_end: values::time("current_period_end", raw.current_period_end)?,
            grace_until: values::time("grace_until", raw.grace_until)?.filter(|until| until.as_secs() != 0),
            jti: values::optional_text("jti", raw.jti)?,
            email: values::optional_text("email", raw.email)?,
        })
    }
}

/// Leaves out the contact.
impl fmt::Debug for GrantClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantClaims")
            .field("lid", &self.lid)
            .field("iid", &self.iid)
            .field("st", &self.st)
            .field("tier", &self.tier)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

fn serialize_or_zero<S: Serializer>(time: &Option<UnixTime>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.map_or(0, UnixTime::as_secs))
}

fn serialize_or_empty<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.as_deref().unwrap_or_default())
}
