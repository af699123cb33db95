//! The members of billing.json ([formats: billing state](crate::_documentation::formats#billing-state)).

use core::fmt;
use std::collections::BTreeMap;

use serde::de::{Deserializer, MapAccess};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::commercial_migration::CommercialMigration;
use crate::entitlement::{Capability, SubscriptionState, canonical_plan, scrub_limits};
use crate::json::{Json, ReadJson};
use crate::members::{ReadMembers, UnknownMembers, read_object, secret_or_none, text_or_none, value_or_default};
use crate::secret::Secret;
use crate::time::UnixTime;

/// The billing state of one organization, as its file has it. [`crate::hosted::resolve_billing`] says what it grants,
/// once the lease in it was verified.
///
/// See the example of [`issue_billing_state`](crate::hosted::issue_billing_state).
#[derive(Default)]
#[non_exhaustive]
pub struct BillingState {
    /// Capabilities, if no lease names them.
    pub capabilities: Vec<Capability>,
    /// Limits by name.
    pub limits: BTreeMap<String, i64>,
    /// Meters that are on.
    pub meters_enabled: Vec<String>,
    /// **Secret**: the hosted lease. Sealed in the file.
    pub entitlement_jwt: Option<Secret>,
    /// **Secret**: the token that requests a new lease. Sealed in the file.
    pub entitlement_refresh_token: Option<Secret>,
    /// A migration of a purchase, while one is under way.
    pub commercial_migration: Option<CommercialMigration>,
    /// The plan, if no lease names it.
    pub plan_version: String,
    /// The state; `None` if a lease names it.
    pub subscription_state: Option<SubscriptionState>,
    /// When a trial began.
    pub trial_started_at: Option<UnixTime>,
    /// When a trial ends.
    pub trial_ends_at: Option<UnixTime>,
    /// When a trial was extended.
    pub trial_extended_at: Option<UnixTime>,
    /// When an overflow was granted.
    pub overflow_granted_at: Option<UnixTime>,
    /// Whether the first credits were granted.
    pub quickstart_credits_granted: bool,
    /// How many of them were used.
    pub quickstart_credits_used: i64,
    /// When the first credits were granted.
    pub quickstart_credits_granted_at: Option<UnixTime>,
    pub(super) integrity: Option<String>,
    /// Payment provider's id.
    pub stripe_customer_id: Option<String>,
    /// Payment provider's id.
    pub stripe_subscription_id: Option<String>,
    /// Payment provider's id.
    pub stripe_price_id: Option<String>,
    unknown: UnknownMembers,
}

impl BillingState {
    /// The integrity code of the file that it was read from or saved to; `None` if that has none.
    pub fn integrity(&self) -> Option<&str> {
        self.integrity.as_deref()
    }

    /// The normal form that every write has: texts trimmed, the state lower-cased, plan and limits normalized, and for
    /// a state that has ended the three collections emptied.
    pub(super) fn normalize(&mut self) {
        for text in [&mut self.stripe_customer_id, &mut self.stripe_subscription_id, &mut self.stripe_price_id] {
            *text = text.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        self.secrets_mut().into_iter().for_each(trim_secret);
        self.commercial_migration = self.commercial_migration.take().and_then(CommercialMigration::normalized);
        self.plan_version = canonical_plan(&self.plan_version).into_owned();
        self.subscription_state = SubscriptionState::given(&self.state_name().trim().to_lowercase());
        scrub_limits(&self.plan_version, &mut self.limits);
        use SubscriptionState::{Canceled, Expired, Suspended};
        if matches!(self.subscription_state, Some(Expired | Suspended | Canceled)) {
            self.clear_collections();
        }
    }

    /// The state as the file has it: empty if there is none.
    pub(super) fn state_name(&self) -> &str {
        self.subscription_state.as_ref().map_or("", SubscriptionState::as_str)
    }

    /// Removes what it entitles to: the lease and its refresh token, plan, state, capabilities, limits and meters.
    pub(crate) fn clear_entitlement(&mut self) {
        self.entitlement_jwt = None;
        self.entitlement_refresh_token = None;
        self.plan_version.clear();
        self.subscription_state = None;
        self.clear_collections();
    }

    /// Empties capabilities, limits and meters.
    fn clear_collections(&mut self) {
        self.capabilities.clear();
        self.limits.clear();
        self.meters_enabled.clear();
    }

    /// The two secrets, the lease first.
    pub(super) fn secrets_mut(&mut self) -> [&mut Option<Secret>; 2] {
        [&mut self.entitlement_jwt, &mut self.entitlement_refresh_token]
    }

    /// Whether it holds a secret that is sealed when written.
    pub(super) fn has_secrets(&self) -> bool {
        self.entitlement_jwt.is_some() || self.entitlement_refresh_token.is_some()
    }

    /// **Secret**: the members as the file has them, the secrets in plain.
    #[cfg(feature = "capi")]
    pub(crate) fn secret_members(&self) -> impl Serialize + '_ {
        let [jwt, refresh_token] = self.exposed_secrets();
        self.with_secrets(jwt, refresh_token)
    }

    /// **Secret**: the lease and its refresh token; empty where there is none.
    pub(super) fn exposed_secrets(&self) -> [&str; 2] {
        [&self.entitlement_jwt, &self.entitlement_refresh_token].map(|secret| Secret::expose_or_empty(secret.as_ref()))
    }

    /// The members as the file has them, the secrets as they are given.
    pub(super) fn with_secrets<'a>(&'a self, jwt: &'a str, refresh_token: &'a str) -> BillingMembers<'a> {
        BillingMembers { state: self, jwt, refresh_token }
    }
}

impl fmt::Debug for BillingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BillingState")
            .field("capabilities", &self.capabilities)
            .field("plan_version", &self.plan_version)
            .field("subscription_state", &self.subscription_state)
            .field("holds_lease", &self.entitlement_jwt.is_some())
            .finish_non_exhaustive()
    }
}

pub(super) fn trim_secret(secret: &mut Option<Secret>) {
    *secret = secret.take().map(Secret::trimmed).and_then(Secret::non_empty);
}

/// What is written: the members in their order. Empty ones are left out, except the five that are always there.
pub(super) struct BillingMembers<'a> {
    state: &'a BillingState,
    jwt: &'a str,
    refresh_token: &'a str,
}

impl Serialize for BillingMembers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let state = self.state;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("capabilities", &Json(&state.capabilities))?;
        map.serialize_entry("limits", &state.limits)?;
        map.serialize_entry("meters_enabled", &state.meters_enabled)?;
        unless_empty(&mut map, "entitlement_jwt", self.jwt)?;
        unless_empty(&mut map, "entitlement_refresh_token", self.refresh_token)?;
        if let Some(migration) = &state.commercial_migration {
            map.serialize_entry("commercial_migration", &Json(migration))?;
        }
        map.serialize_entry("plan_version", &state.plan_version)?;
        map.serialize_entry("subscription_state", state.state_name())?;
        unless_none(&mut map, "trial_started_at", state.trial_started_at)?;
        unless_none(&mut map, "trial_ends_at", state.trial_ends_at)?;
        unless_none(&mut map, "trial_extended_at", state.trial_extended_at)?;
        unless_none(&mut map, "overflow_granted_at", state.overflow_granted_at)?;
        if state.quickstart_credits_granted {
            map.serialize_entry("quickstart_credits_granted", &true)?;
        }
        if state.quickstart_credits_used != 0 {
            map.serialize_entry("quickstart_credits_used", &state.quickstart_credits_used)?;
        }
        unless_none(&mut map, "quickstart_credits_granted_at", state.quickstart_credits_granted_at)?;
        unless_empty(&mut map, "integrity", state.integrity.as_deref().unwrap_or_default())?;
        unless_empty(&mut map, "stripe_customer_id", state.stripe_customer_id.as_deref().unwrap_or_default())?;
        unless_empty(&mut map, "stripe_subscription_id", state.stripe_subscription_id.as_deref().unwrap_or_default())?;
        unless_empty(&mut map, "stripe_price_id", state.stripe_price_id.as_deref().unwrap_or_default())?;
        state.unknown.write(&mut map)?;
        map.end()
    }
}

fn unless_empty<M: SerializeMap>(map: &mut M, name: &'static str, text: &str) -> Result<(), M::Error> {
    if text.is_empty() { Ok(()) } else { map.serialize_entry(name, text) }
}

fn unless_none<M: SerializeMap>(map: &mut M, name: &'static str, time: Option<UnixTime>) -> Result<(), M::Error> {
    time.map_or(Ok(()), |time| map.serialize_entry(name, &time.as_secs()))
}

impl<'de> ReadJson<'de> for BillingState {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_object(deserializer)
    }
}

impl ReadMembers for BillingState {
    fn read_member<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "capabilities" => self.capabilities = map.next_value::<Json<Option<_>>>()?.0.unwrap_or_default(),
            "limits" => self.limits = value_or_default(map)?,
            "meters_enabled" => self.meters_enabled = value_or_default(map)?,
            "entitlement_jwt" => self.entitlement_jwt = secret_or_none(map)?,
            "entitlement_refresh_token" => self.entitlement_refresh_token = secret_or_none(map)?,
            "commercial_migration" => self.commercial_migration = map.next_value::<Json<_>>()?.0,
            "plan_version" => self.plan_version = value_or_default(map)?,
            "subscription_state" => {
                self.subscription_state = SubscriptionState::given(&value_or_default::<A, String>(map)?)
            }
            "trial_started_at" => self.trial_started_at = map.next_value::<Json<_>>()?.0,
            "trial_ends_at" => self.trial_ends_at = map.next_value::<Json<_>>()?.0,
            "trial_extended_at" => self.trial_extended_at = map.next_value::<Json<_>>()?.0,
            "overflow_granted_at" => self.overflow_granted_at = map.next_value::<Json<_>>()?.0,
            "quickstart_credits_granted" => self.quickstart_credits_granted = value_or_default(map)?,
            "quickstart_credits_used" => self.quickstart_credits_used = value_or_default(map)?,
            "quickstart_credits_granted_at" => self.quickstart_credits_granted_at = map.next_value::<Json<_>>()?.0,
            "integrity" => self.integrity = text_or_none(map)?,
            "stripe_customer_id" => self.stripe_customer_id = text_or_none(map)?,
            "stripe_subscription_id" => self.stripe_subscription_id = text_or_none(map)?,
            "stripe_price_id" => self.stripe_price_id = text_or_none(map)?,
            _ => self.unknown.take(name, map)?,
        }
        Ok(())
    }
}
