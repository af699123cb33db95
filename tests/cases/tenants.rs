//! The directories of tenants: what the bootstrap makes of them, what it leaves, which credential it picks, what a
//! billing state resolves to, and what the control plane issues.

use std::fs;

use libtest_mimic::Trial;
use pulse_trust::UnixTime;
use pulse_trust::entitlement::{Capability, HostBinding, Inspected, LeaseChecks, SubscriptionState, VerifiedLease};
use pulse_trust::hosted::{
    BootstrapOutcome, ResolvedBilling, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state, readiness,
    registration_credential, resolve_billing,
};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::storage::{BillingState, DataDir};
use serde_json::{Value, json};

use crate::common::saving::Saving;
use crate::common::sealing::{license_key, unseal_text};
use crate::common::{copied, exposed, files_of, text, time, trust_keys, vectors};
use crate::ours::ours;
use crate::relay::as_json;
use crate::{each, each_as};

pub fn tests() -> Vec<Trial> {
    let mut tests = each("tenants.json", "cases", bootstrapped);
    tests.extend(each_as("tenants/deployed-result-kept", "tenants.json", "cases", kept));
    tests.extend(each_as("tenants/license-files", "tenants.json", "cases", license_files));
    tests.extend(each_as("leases/resolved", "leases.json", "cases", lease_resolved));
    tests.extend(each_as("billing/resolved", "billing.json", "cases", billing_resolved));
    tests.extend(each("issued.json", "cases", issued));
    tests
}

fn runtime_of(file: &Value, case: &Value) -> Runtime {
    let mode = if case["hosted_mode"].as_bool().unwrap() { RuntimeMode::Hosted } else { RuntimeMode::SelfHosted };
    let mut runtime = Runtime::new(mode, trust_keys(file));
    runtime.public_url = Some(text(case, "expected_host").to_owned()).filter(|host| !host.is_empty());
    runtime
}

fn bootstrapped(file: &Value, case: &Value) {
    let (runtime, now) = (runtime_of(file, case), time(file, "now"));
    let directory = copied(&vectors().join("tenants").join(text(case, "name")).join("before"));
    let before = files_of(directory.path());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();

    let report = readiness(data_dir.reader(), &runtime, now);
    assert!(files_of(directory.path()) == before, "the readiness report changed something");
    let broken = report.first_broken().map(|(link, error)| format!("{link}: {}", error.name()));
    assert_eq!(json!(broken), *ours("tenants", case, "first_broken").unwrap(), "{report:?}");

    let started = bootstrap(&data_dir, &runtime, now).unwrap();
    let written = files_of(directory.path()).get("relay.enc") != before.get("relay.enc");
    assert_eq!(written, case["relay_enc_written"].as_bool().unwrap(), "{:?}", started.outcome);
    let outcome = match &started.outcome {
        BootstrapOutcome::Unchanged { reason: None } => "unchanged".to_owned(),
        BootstrapOutcome::Unchanged { reason: Some(error) } => format!("unchanged: {}", error.name()),
        BootstrapOutcome::Bootstrapped => "bootstrapped".to_owned(),
        BootstrapOutcome::IdentityMade => "identity_made".to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(json!(outcome), *ours("tenants", case, "outcome").unwrap());

    let config = as_json(&started.config);
    for member in ["enabled", "server_url", "instance_secret"] {
        assert_eq!(config[member], case["config"][member], "{member}");
    }
    match text(case, "identity") {
        "kept" => assert_eq!(config, case["config"]),
        "made" => {
            let identity = started.config.identity().unwrap();
            assert_ne!(identity.fingerprint(), text(&case["config"], "identity_fingerprint"));
        }
        "none" => assert!(started.config.lacks_identity()),
        other => panic!("identity {other}"),
    }

    assert_eq!(started.credential.secret_token().unwrap_or_default(), credential(case), "{:?}", started.credential);
    let chosen = registration_credential(data_dir.reader(), &runtime, now);
    assert_eq!(chosen.secret_token(), started.credential.secret_token());

    let once = files_of(directory.path());
    let again = bootstrap(&data_dir, &runtime, now).unwrap();
    assert!(matches!(again.outcome, BootstrapOutcome::Unchanged { .. }), "{:?}", again.outcome);
    assert!(files_of(directory.path()) == once, "a second bootstrap changed something");
    assert_eq!(again.config.identity_fingerprint, started.config.identity_fingerprint);
}

/// What is offered to the relay; empty for nothing.
fn credential(case: &Value) -> &str {
    match ours("tenants", case, "credential") {
        None => text(case, "registration_credential"),
        Some(Value::Null) => "",
        Some(member) => text(case, member.as_str().unwrap()),
    }
}

fn kept(file: &Value, case: &Value) {
    let directory = copied(&vectors().join("tenants").join(text(case, "name")).join("after"));
    let before = files_of(directory.path());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let started = bootstrap(&data_dir, &runtime_of(file, case), time(file, "now")).unwrap();
    let after = files_of(directory.path());
    assert!(after.get("relay.enc") == before.get("relay.enc"), "{:?}", started.outcome);
    assert_eq!(as_json(&started.config), case["config"]);
    if !started.config.lacks_identity() {
        assert_eq!(Some(started.config.identity().unwrap().fingerprint()), started.config.identity_fingerprint);
    }
}

fn license_files(_: &Value, case: &Value) {
    let directory = copied(&vectors().join("tenants").join(text(case, "name")).join("before"));
    let before = files_of(directory.path());
    let opened = |file: &str| -> Option<Value> {
        let key = license_key(fs::read_to_string(directory.path().join(".license-key")).ok()?.trim());
        let sealed = fs::read_to_string(directory.path().join(file)).ok()?;
        Some(serde_json::from_str(&unseal_text(key, sealed.trim())).unwrap())
    };
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let (activation, license) = (data_dir.activation().unwrap(), data_dir.license().unwrap());
    assert!(activation.warnings.is_empty() && license.warnings.is_empty());
    match (opened("activation.enc"), activation.value) {
        (None, None) => {}
        (Some(expected), Some(activation)) => {
            assert_eq!(activation.grant_jwt.expose_secret(), expected["grant_jwt"]);
            let suspended = expected.get("paid_access_suspended").cloned().unwrap_or(json!(false));
            assert_eq!(json!(activation.paid_access_suspended), suspended);
        }
        (expected, activation) => panic!("{expected:?}, {activation:?}"),
    }
    match (opened("license.enc"), license.value) {
        (None, None) => {}
        (Some(expected), Some(license)) => {
            assert_eq!(license.license_key.expose_secret(), expected["license_key"]);
            assert_eq!(license.grace_period_end.map(UnixTime::as_secs), expected["grace_period_end"].as_i64());
        }
        (expected, license) => panic!("{expected:?}, {license:?}"),
    }
    assert!(files_of(directory.path()) == before);
}

/// As the file has it.
fn state_name(state: &Option<SubscriptionState>) -> &str {
    state.as_ref().map_or("", SubscriptionState::as_str)
}

fn resolved_value(resolved: &ResolvedBilling) -> Value {
    json!({
        "subscription_state": state_name(&resolved.subscription_state), "plan_version": resolved.plan_version,
        "capabilities": resolved.capabilities.iter().map(Capability::as_str).collect::<Vec<_>>(), "limits": resolved.limits,
    })
}

/// A Go `null` collection is an empty one.
fn without_null(value: &Value) -> Value {
    let or = |name: &str, empty: Value| if value[name].is_null() { empty } else { value[name].clone() };
    json!({
        "subscription_state": value["subscription_state"], "plan_version": value["plan_version"],
        "capabilities": or("capabilities", json!([])), "limits": or("limits", json!({})),
    })
}

/// A lease that is refused here alone resolves to nothing; what that is, the other cases hold.
fn lease_resolved(file: &Value, case: &Value) {
    if ours("leases", case, "verify").is_some() {
        return;
    }
    let now = time(case, "now");
    let binding = Some(text(case, "expected_host")).filter(|host| !host.is_empty());
    let checks = LeaseChecks::new(binding.map_or(HostBinding::AnyHost, HostBinding::Require));
    let mut state = BillingState::default();
    state.entitlement_jwt = Some(text(case, "token").into());
    let resolved = resolve_billing(&state, &trust_keys(file), &checks, now);
    if case.get("resolved_ours").is_some() {
        assert_eq!((resolved.plan_version.as_str(), resolved.subscription_state), ("", None));
        state.trial_started_at = Some(UnixTime::from_secs(1));
        let resolved = resolve_billing(&state, &trust_keys(file), &checks, now);
        assert_eq!(resolved.subscription_state, Some(SubscriptionState::Expired));
        return;
    }
    assert_eq!(resolved_value(&resolved), without_null(&case["resolved_billing_state"]));
}

fn billing_resolved(file: &Value, case: &Value) {
    if !case["state_present"].as_bool().unwrap() || ours("billing", case, "load").is_some() {
        return; // Refused: the case of the same name in billing/ holds the refusal.
    }
    let directory = copied(&vectors().join("billing").join(text(case, "name")));
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let state = data_dir.billing_state(text(case, "org")).unwrap().value.unwrap();
    let checks = LeaseChecks::new(HostBinding::AnyHost);
    let resolved = resolve_billing(&state, &trust_keys(file), &checks, time(file, "now"));
    assert_eq!(resolved_value(&resolved), without_null(&case["resolved"]));
    assert_eq!(
        json!(resolved.trial_ends_at.map(UnixTime::as_secs)),
        case["resolved"].get("trial_ends_at").cloned().unwrap_or_default()
    );
}

fn issued(file: &Value, case: &Value) {
    let key = SigningKey::generate().unwrap();
    let keys = TrustKeys::for_leases(TrustKeySet::new([key.public_key().clone()]));
    let now = time(file, "now");
    let order = {
        let mut tenant_order = TenantOrder::new(text(case, "tenant_id"), text(file, "base_url"));
        tenant_order.email = Some(text(case, "email").into());
        tenant_order.plan_version = Some(text(case, "plan_version").into());
        tenant_order.subscription_state = Some(text(case, "subscription_state").into());
        tenant_order.trial_ends_at = None;
        tenant_order.stripe_customer_id = Some("cus_1".into());
        tenant_order.stripe_subscription_id = Some("sub_1".into());
        tenant_order.stripe_price_id = Some("price_1".into());
        tenant_order
    };
    let mut issued = issue_billing_state(&order, BillingState::default(), &key, now).unwrap();
    let expected = &case["billing_state"];
    assert_eq!(issued.billing.plan_version, text(expected, "plan_version"));
    assert_eq!(state_name(&issued.billing.subscription_state), text(expected, "subscription_state"));
    assert_eq!(
        exposed(&issued.billing.entitlement_refresh_token).len(),
        text(expected, "entitlement_refresh_token").len()
    );
    if let Some(claims) = case.get("lease_claims").filter(|claims| !claims.is_null()) {
        let checks = LeaseChecks::new(HostBinding::Require(issued.instance_host.as_str()));
        let lease =
            Inspected::<VerifiedLease>::inspect(exposed(&issued.billing.entitlement_jwt), &keys, &checks, now).unwrap();
        let mut received = serde_json::from_str::<Value>(lease.claims().secret_json().expose_secret()).unwrap();
        // Beyond what the deployed control plane writes, each lease has an id of its own, for a revocation to name.
        let jti = received.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(jti.as_str().unwrap().len(), 32);
        assert_eq!(received, *claims);
    } else {
        assert!(issued.billing.entitlement_jwt.is_none());
    }
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    data_dir.save_billing("default", &mut issued.billing).unwrap();
    let members = |bytes: &[u8]| -> Vec<String> {
        serde_json::from_slice::<serde_json::Map<String, Value>>(bytes).unwrap().keys().cloned().collect()
    };
    let deployed = fs::read(vectors().join("issued").join(text(case, "name")).join("billing.json")).unwrap();
    assert_eq!(members(&files_of(directory.path())["billing.json"]), members(&deployed));
}
