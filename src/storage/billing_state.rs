//! The members of billing.json (FORMATS 8).

use core::fmt;
use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::entitlement::{Capability, canonical_plan, scrub_limits};

/// The billing state of one organization. What stands here is the file's; what a lease in it makes of it is
/// [`crate::hosted::resolve_billing`]'s.
#[derive(Default)]
#[non_exhaustive]
pub struct BillingState {
    /// Capabilities, where no lease says them.
    pub capabilities: Vec<Capability>,
    /// Limits by name.
    pub limits: BTreeMap<String, i64>,
    /// Meters that are on.
    pub meters_enabled: Vec<String>,
    /// **Secret**: the hosted lease; empty where there is none. Sealed in the file.
    pub entitlement_jwt: Zeroizing<String>,
    /// **Secret**: what a new lease is asked for with; empty where there is none. Sealed in the file.
    pub entitlement_refresh_token: Zeroizing<String>,
    /// A migration of a purchase, while one is under way.
    pub commercial_migration: Option<CommercialMigration>,
    /// The plan, where no lease says it.
    pub plan_version: String,
    /// The state, where no lease says it.
    pub subscription_state: String,
    /// Unix seconds.
    pub trial_started_at: Option<i64>,
    /// Unix seconds.
    pub trial_ends_at: Option<i64>,
    /// Unix seconds.
    pub trial_extended_at: Option<i64>,
    /// Unix seconds.
    pub overflow_granted_at: Option<i64>,
    /// Whether the first credits were granted.
    pub quickstart_credits_granted: bool,
    /// How many of them were used.
    pub quickstart_credits_used: i64,
    /// Unix seconds.
    pub quickstart_credits_granted_at: Option<i64>,
    /// The integrity code that was read; a writer makes a new one.
    pub integrity: String,
    /// Payment provider's id.
    pub stripe_customer_id: String,
    /// Payment provider's id.
    pub stripe_subscription_id: String,
    /// Payment provider's id.
    pub stripe_price_id: String,
    /// Members that we do not know, in their order, as they stand in the file.
    unknown: Vec<(String, Box<RawValue>)>,
}

/// A migration of a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CommercialMigration {
    /// Where it comes from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// How far it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Why it is there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What the customer should do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub recommended_action: String,
    /// Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_failed_at: Option<i64>,
}

impl BillingState {
    /// The normal form that every write has: texts trimmed, the state lower-cased, plan and limits normalized, and for a
    /// state that has ended the three collections emptied.
    pub(super) fn normalize(&mut self) {
        for text in [&mut self.stripe_customer_id, &mut self.stripe_subscription_id, &mut self.stripe_price_id] {
            trim(text);
        }
        for secret in [&mut self.entitlement_jwt, &mut self.entitlement_refresh_token] {
            *secret = Zeroizing::new(secret.trim().to_owned());
        }
        if let Some(migration) = &mut self.commercial_migration {
            for text in
                [&mut migration.source, &mut migration.state, &mut migration.reason, &mut migration.recommended_action]
            {
                trim(text);
            }
        }
        self.plan_version = canonical_plan(&self.plan_version).into_owned();
        self.subscription_state = self.subscription_state.trim().to_lowercase();
        scrub_limits(&self.plan_version, &mut self.limits);
        if matches!(self.subscription_state.as_str(), "expired" | "suspended" | "canceled") {
            self.clear_collections();
        }
    }

    /// Empties capabilities, limits and meters.
    pub(crate) fn clear_collections(&mut self) {
        self.capabilities.clear();
        self.limits.clear();
        self.meters_enabled.clear();
    }

    /// Whether it holds a secret that is sealed when written.
    pub(super) fn has_secrets(&self) -> bool {
        !self.entitlement_jwt.is_empty() || !self.entitlement_refresh_token.is_empty()
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
            .field("holds_lease", &!self.entitlement_jwt.is_empty())
            .finish_non_exhaustive()
    }
}

fn trim(text: &mut String) {
    *text = text.trim().to_owned();
}

/// What is written: the members in their order, left out when empty but for the five that are always there.
pub(super) struct BillingMembers<'a> {
    state: &'a BillingState,
    jwt: &'a str,
    refresh_token: &'a str,
}

impl Serialize for BillingMembers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let state = self.state;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("capabilities", &state.capabilities)?;
        map.serialize_entry("limits", &state.limits)?;
        map.serialize_entry("meters_enabled", &state.meters_enabled)?;
        unless_empty(&mut map, "entitlement_jwt", self.jwt)?;
        unless_empty(&mut map, "entitlement_refresh_token", self.refresh_token)?;
        if let Some(migration) = &state.commercial_migration {
            map.serialize_entry("commercial_migration", migration)?;
        }
        map.serialize_entry("plan_version", &state.plan_version)?;
        map.serialize_entry("subscription_state", &state.subscription_state)?;
        unless_none(&mut map, "trial_started_at", state.trial_started_at)?;
        unless_none(&mut map, "trial_ends_at", state.trial_ends_at)?;
        unless_none(&mut map, "trial_extended_at", state.trial_extended_at)?;
        unless_none(&mut map, "overflow_granted_at", state.overflow_granted_at)?;
        if state.quickstart_credits_granted {
            map.serialize_entry("quickstart_credits_granted", &true)?;
        }
        unless_none(
            &mut map,
            "quickstart_credits_used",
            Some(state.quickstart_credits_used).filter(|used| *used != 0),
        )?;
        unless_none(&mut map, "quickstart_credits_granted_at", state.quickstart_credits_granted_at)?;
        unless_empty(&mut map, "integrity", &state.integrity)?;
        unless_empty(&mut map, "stripe_customer_id", &state.stripe_customer_id)?;
        unless_empty(&mut map, "stripe_subscription_id", &state.stripe_subscription_id)?;
        unless_empty(&mut map, "stripe_price_id", &state.stripe_price_id)?;
        for (name, value) in &state.unknown {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn unless_empty<M: SerializeMap>(map: &mut M, name: &'static str, text: &str) -> Result<(), M::Error> {
    if text.is_empty() { Ok(()) } else { map.serialize_entry(name, text) }
}

fn unless_none<M: SerializeMap>(map: &mut M, name: &'static str, number: Option<i64>) -> Result<(), M::Error> {
    number.map_or(Ok(()), |number| map.serialize_entry(name, &number))
}

impl<'de> Deserialize<'de> for BillingState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StateVisitor)
    }
}

struct StateVisitor;

impl<'de> Visitor<'de> for StateVisitor {
    type Value = BillingState;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BillingState, A::Error> {
        let mut state = BillingState::default();
        let mut seen = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom("a member stands twice"));
            }
            match name.as_str() {
                "capabilities" => state.capabilities = member(&mut map)?,
                "limits" => state.limits = member(&mut map)?,
                "meters_enabled" => state.meters_enabled = member(&mut map)?,
                "entitlement_jwt" => state.entitlement_jwt = member::<_, String>(&mut map).map(Zeroizing::new)?,
                "entitlement_refresh_token" => {
                    state.entitlement_refresh_token = member::<_, String>(&mut map).map(Zeroizing::new)?;
                }
                "commercial_migration" => state.commercial_migration = map.next_value()?,
                "plan_version" => state.plan_version = member(&mut map)?,
                "subscription_state" => state.subscription_state = member(&mut map)?,
                "trial_started_at" => state.trial_started_at = map.next_value()?,
                "trial_ends_at" => state.trial_ends_at = map.next_value()?,
                "trial_extended_at" => state.trial_extended_at = map.next_value()?,
                "overflow_granted_at" => state.overflow_granted_at = map.next_value()?,
                "quickstart_credits_granted" => state.quickstart_credits_granted = member(&mut map)?,
                "quickstart_credits_used" => state.quickstart_credits_used = member(&mut map)?,
                "quickstart_credits_granted_at" => state.quickstart_credits_granted_at = map.next_value()?,
                "integrity" => state.integrity = member(&mut map)?,
                "stripe_customer_id" => state.stripe_customer_id = member(&mut map)?,
                "stripe_subscription_id" => state.stripe_subscription_id = member(&mut map)?,
                "stripe_price_id" => state.stripe_price_id = member(&mut map)?,
                _ => state.unknown.push((name.clone(), map.next_value()?)),
            }
            seen.push(name);
        }
        Ok(state)
    }
}

fn member<'de, A: MapAccess<'de>, T: Deserialize<'de> + Default>(map: &mut A) -> Result<T, A::Error> {
    map.next_value::<Option<T>>().map(Option::unwrap_or_default)
}
