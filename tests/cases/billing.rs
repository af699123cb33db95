//! billing.json against the deployed ones: how states are read and rewritten, and how issued ones are written.

use std::fs;

use libtest_mimic::Trial;
use pulse_trust::entitlement::{Capability, SubscriptionState};
use pulse_trust::storage::{BillingState, DataDir};
use pulse_trust::{Error, UnixTime};
use serde_json::{Value, json};

use crate::common::saving::Saving;
use crate::common::sealing::{SECRETS, file_with_plain_secrets};
use crate::common::{copied, exposed, files_of, text, vectors};
use crate::ours::{is_ours, ours};
use crate::{each, each_as};

pub fn tests() -> Vec<Trial> {
    let mut tests = each("billing.json", "cases", read_and_rewritten);
    tests.extend(each_as("issued/written", "issued.json", "cases", written));
    tests
}

fn read_and_rewritten(_: &Value, case: &Value) {
    let org = text(case, "org");
    let directory = copied(&vectors().join("billing").join(text(case, "name")));
    let before = files_of(directory.path());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let loaded = data_dir.billing_state(org);
    let after = files_of(directory.path());
    let is_refused = is_ours("billing", case, "load", &loaded);
    if is_refused || !case["state_present"].as_bool().unwrap() {
        let error = loaded.unwrap_err();
        assert!(is_refused || matches!(error, Error::BillingTampered { .. }), "{error:?}");
        assert_eq!(data_dir.save_billing(org, &mut BillingState::default()), Err(error));
        assert!(files_of(directory.path()) == before, "a refused file was changed");
        return;
    }
    let loaded = loaded.unwrap();
    assert_eq!(loaded.warnings, []);
    let state = loaded.value.unwrap();
    let path = if org == "default" { "billing.json".to_owned() } else { format!("orgs/{org}/billing.json") };
    assert_eq!(after != before, case["file_rewritten"].as_bool().unwrap());
    let integrity = state.integrity().unwrap_or_default();
    assert_eq!(integrity, text(&serde_json::from_slice(&after[&path]).unwrap(), "integrity"));
    let integrity_after = ours("billing", case, "integrity_after").unwrap_or(&case["integrity_after"]);
    assert_eq!(json!(integrity), *integrity_after);
    let mut expected = case["resolved"].clone();
    expected["integrity"] = integrity.into();
    let mut seen = state_value(&state);
    if state.entitlement_jwt.is_some() {
        // What the lease decides in memory is not the file's.
        for value in [&mut seen, &mut expected] {
            let decided = [
                "capabilities",
                "limits",
                "meters_enabled",
                "plan_version",
                "subscription_state",
                "trial_started_at",
                "trial_ends_at",
            ];
            value.as_object_mut().unwrap().retain(|member, _| !decided.contains(&member.as_str()));
        }
    }
    if expected["integrity"] == "" {
        expected.as_object_mut().unwrap().remove("integrity");
    }
    assert_eq!(seen, expected);
    let again = data_dir.billing_state(org).unwrap().value.unwrap();
    assert_eq!(state_value(&again), state_value(&state));
    assert!(files_of(directory.path()) == after, "rewritten twice");
}

fn written(_: &Value, case: &Value) {
    let directory = copied(&vectors().join("issued").join(text(case, "name")));
    let before = fs::read_to_string(directory.path().join("billing.json")).unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let mut state = data_dir.billing_state("default").unwrap().value.unwrap();
    assert_eq!(state_value(&state), case["billing_state"]);
    assert_eq!(data_dir.save_billing("default", &mut state), Ok(Vec::new()));
    let after = fs::read_to_string(directory.path().join("billing.json")).unwrap();
    assert_eq!(without_sealed(&after), without_sealed(&before));
    if directory.path().join(".encryption.key").exists() {
        let plain = file_with_plain_secrets(directory.path(), "billing.json");
        assert!(SECRETS.iter().all(|secret| plain[*secret] == case["billing_state"][*secret]));
    }
}

/// What the vectors show of a state: its members as they would be written, secrets in plain.
fn state_value(state: &BillingState) -> Value {
    let mut value = json!({
        "capabilities": state.capabilities.iter().map(Capability::as_str).collect::<Vec<_>>(), "limits": state.limits, "meters_enabled": state.meters_enabled,
        "plan_version": state.plan_version, "subscription_state": state.subscription_state.as_ref().map_or("", SubscriptionState::as_str),
    });
    let members = value.as_object_mut().unwrap();
    for (name, text) in [
        ("entitlement_jwt", exposed(&state.entitlement_jwt)),
        ("entitlement_refresh_token", exposed(&state.entitlement_refresh_token)),
        ("integrity", state.integrity().unwrap_or_default()),
        ("stripe_customer_id", state.stripe_customer_id.as_deref().unwrap_or_default()),
        ("stripe_subscription_id", state.stripe_subscription_id.as_deref().unwrap_or_default()),
        ("stripe_price_id", state.stripe_price_id.as_deref().unwrap_or_default()),
    ] {
        if !text.is_empty() {
            members.insert(name.into(), text.into());
        }
    }
    for (name, number) in [
        ("trial_started_at", state.trial_started_at.map(UnixTime::as_secs)),
        ("trial_ends_at", state.trial_ends_at.map(UnixTime::as_secs)),
        ("trial_extended_at", state.trial_extended_at.map(UnixTime::as_secs)),
        ("overflow_granted_at", state.overflow_granted_at.map(UnixTime::as_secs)),
        ("quickstart_credits_used", Some(state.quickstart_credits_used).filter(|used| *used != 0)),
        ("quickstart_credits_granted_at", state.quickstart_credits_granted_at.map(UnixTime::as_secs)),
    ] {
        if let Some(number) = number {
            members.insert(name.into(), number.into());
        }
    }
    if state.quickstart_credits_granted {
        members.insert("quickstart_credits_granted".into(), true.into());
    }
    value
}
/// The text of a file with the two sealed texts, which are random, taken out.
fn without_sealed(file: &str) -> String {
    let value: Value = serde_json::from_str(file).unwrap();
    SECRETS.iter().fold(file.to_owned(), |file, name| match text(&value, name) {
        "" => file,
        sealed => file.replace(sealed, "SEALED"),
    })
}
