//! The integrity code of billing.json: an HMAC over the values that count, and the two older payloads ([formats:
//! billing state](crate::_documentation::formats#billing-state)).

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::billing_state::BillingState;
use super::commercial_migration::Covered;
use super::seal::SealingKey;
use crate::encoding;
use crate::entitlement::Capability;
use crate::json;
use crate::time::UnixTime;

/// What a code covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    /// What is written today.
    Current,
    /// Without the two tokens, the migration and the first credits.
    BeforeQuickstart,
    /// Capabilities, plan, state and three trial times alone.
    Oldest,
}

/// The code of a state under a payload. The secrets in the state are in plain.
pub(super) fn code(key: &SealingKey, state: &BillingState, payload: Payload) -> String {
    let mut hash = Sha256::new();
    hash.update(b"pulse-billing-integrity-");
    hash.update(key.secret_bytes());
    // HMAC pads a key to the block of its hash (RFC 2104, section 2).
    let mut mac_key = Zeroizing::new([0_u8; 64]);
    for (byte, value) in mac_key.iter_mut().zip(hash.finalize()) {
        *byte = value;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*mac_key).into());
    mac.update(covered_json(state, payload).as_bytes());
    encoding::hex_encode(&mac.finalize().into_bytes())
}

/// The payload whose code the state carries; `None` if it carries none of them.
pub(super) fn recognize(key: &SealingKey, state: &BillingState) -> Option<Payload> {
    let found = state.integrity()?;
    [Payload::Current, Payload::BeforeQuickstart, Payload::Oldest]
        .into_iter()
        .find(|payload| code(key, state, *payload).as_bytes().ct_eq(found.as_bytes()).into())
}

/// Clears what an older payload does not cover, as anyone may have changed it.
pub(super) fn clear_uncovered(state: &mut BillingState, payload: Payload) {
    if payload == Payload::Current {
        return;
    }
    state.commercial_migration = None;
    state.quickstart_credits_granted = false;
    state.quickstart_credits_used = 0;
    state.quickstart_credits_granted_at = None;
    if payload == Payload::Oldest {
        state.overflow_granted_at = None;
    }
}

fn covered_json(state: &BillingState, payload: Payload) -> Zeroizing<String> {
    let mut capabilities: Vec<&Capability> = state.capabilities.iter().collect();
    capabilities.sort_unstable();
    let trial = Trial {
        plan_version: &state.plan_version,
        subscription_state: state.state_name(),
        trial_started_at: state.trial_started_at.map(UnixTime::as_secs),
        trial_ends_at: state.trial_ends_at.map(UnixTime::as_secs),
        trial_extended_at: state.trial_extended_at.map(UnixTime::as_secs),
    };
    let limits = &state.limits;
    let [entitlement_jwt, entitlement_refresh_token] = state.exposed_secrets();
    let overflow_granted_at = state.overflow_granted_at.map(UnixTime::as_secs);
    let text = match payload {
        Payload::Current => json::to_compact(&Current {
            capabilities,
            limits,
            entitlement_jwt: entitlement_jwt.trim(),
            entitlement_refresh_token: entitlement_refresh_token.trim(),
            commercial_migration: state.commercial_migration.as_ref().map(Covered),
            trial,
            overflow_granted_at,
            quickstart_credits_granted: state.quickstart_credits_granted,
            quickstart_credits_used: state.quickstart_credits_used,
            quickstart_credits_granted_at: state.quickstart_credits_granted_at.map(UnixTime::as_secs),
        }),
        Payload::BeforeQuickstart => {
            json::to_compact(&BeforeQuickstart { capabilities, limits, trial, overflow_granted_at })
        }
        Payload::Oldest => json::to_compact(&Oldest { capabilities, trial }),
    };
    // Texts and numbers always have a JSON form; an empty text would match no code.
    Zeroizing::new(text.unwrap_or_default())
}

#[derive(Serialize)]
struct Trial<'a> {
    plan_version: &'a str,
    subscription_state: &'a str,
    trial_started_at: Option<i64>,
    trial_ends_at: Option<i64>,
    trial_extended_at: Option<i64>,
}

#[derive(Serialize)]
struct Current<'a> {
    #[serde(serialize_with = "crate::json::form::serialize")]
    capabilities: Vec<&'a Capability>,
    limits: &'a BTreeMap<String, i64>,
    entitlement_jwt: &'a str,
    entitlement_refresh_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commercial_migration: Option<Covered<'a>>,
    #[serde(flatten)]
    trial: Trial<'a>,
    overflow_granted_at: Option<i64>,
    quickstart_credits_granted: bool,
    quickstart_credits_used: i64,
    quickstart_credits_granted_at: Option<i64>,
}

#[derive(Serialize)]
struct BeforeQuickstart<'a> {
    #[serde(serialize_with = "crate::json::form::serialize")]
    capabilities: Vec<&'a Capability>,
    limits: &'a BTreeMap<String, i64>,
    #[serde(flatten)]
    trial: Trial<'a>,
    overflow_granted_at: Option<i64>,
}

#[derive(Serialize)]
struct Oldest<'a> {
    #[serde(serialize_with = "crate::json::form::serialize")]
    capabilities: Vec<&'a Capability>,
    #[serde(flatten)]
    trial: Trial<'a>,
}
