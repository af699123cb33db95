//! The bootstrap, the credential, the resolved billing state and the issuing, against deployed directories (FORMATS 8, 9).

use crate::common::{cases, copied, files_of, vector_file, vectors};
use pulse_trust::entitlement::{HostBinding, InspectedLease, LeaseChecks};
use pulse_trust::hosted::{
    BootstrapOutcome, LinkState, ResolvedBilling, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state,
    readiness, registration_credential, resolve_billing,
};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::RelayEnvironment;
use pulse_trust::storage::{BillingState, DataDir};
use pulse_trust::{Error, UnixTime};
use serde_json::{Value, json};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn now_of(file: &Value) -> UnixTime {
    UnixTime::from_secs(file["now"].as_i64().unwrap())
}

fn keys_of(file: &Value) -> TrustKeys {
    let set = |name: &str| TrustKeySet::from_setting(text(file, name)).unwrap();
    TrustKeys { lease: set("hosted_public_key"), license: set("license_public_key") }
}

fn runtime_of(case: &Value, keys: TrustKeys) -> Runtime {
    let mode = if case["hosted_mode"].as_bool().unwrap() { RuntimeMode::Hosted } else { RuntimeMode::SelfHosted };
    let mut runtime = Runtime::new(mode, keys);
    runtime.public_url = Some(text(case, "expected_host").to_owned()).filter(|host| !host.is_empty());
    runtime
}

#[test]
fn tenants_are_bootstrapped_as_deployed() {
    let file = vector_file("tenants.json");
    let now = now_of(&file);
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let directory = copied(&vectors().join("tenants").join(name).join("before"));
        let before = files_of(directory.path());
        let runtime = runtime_of(case, keys_of(&file));
        let data_dir = DataDir::new(directory.path()).lock().unwrap();

        let report = readiness(&data_dir, &runtime, now);
        assert!(files_of(directory.path()) == before, "{name}: the readiness report changed something");

        let started = bootstrap(&data_dir, &runtime, now).unwrap();
        let written = files_of(directory.path()).get("relay.enc") != before.get("relay.enc");
        assert_eq!(written, case["relay_enc_written"].as_bool().unwrap(), "{name}: {:?}", started.outcome);
        assert_eq!(
            started.outcome != BootstrapOutcome::Unchanged { reason: None },
            written || !started.config.enabled && started.config.is_untouched() && runtime.mode == RuntimeMode::Hosted,
            "{name}"
        );

        let config: Value = serde_json::from_str(&started.config.secret_json().unwrap()).unwrap();
        for member in ["enabled", "server_url", "instance_secret"] {
            assert_eq!(config[member], case["config"][member], "{name}: {member}");
        }
        match text(case, "identity") {
            "kept" => assert_eq!(config, case["config"], "{name}"),
            "made" => {
                let identity = started.config.identity().unwrap();
                assert_ne!(identity.fingerprint(), text(&case["config"], "identity_fingerprint"), "{name}");
            }
            "none" => assert!(started.config.lacks_identity(), "{name}"),
            other => panic!("{name}: identity {other}"),
        }

        let expected = case.get("ours_credential").map_or_else(
            || if case.get("ours").is_some() { "" } else { text(case, "registration_credential") },
            |ours| ours.as_str().unwrap(),
        );
        assert_eq!(started.credential.secret_token().unwrap_or_default(), expected, "{name}: {:?}", started.credential);
        let chosen = registration_credential(&data_dir, &runtime, now);
        assert_eq!(chosen.secret_token(), started.credential.secret_token(), "{name}");

        let may_register = started.config.enabled && !expected.is_empty();
        assert_eq!(report.first_broken().is_none(), may_register, "{name}: {report:?}");

        let once = files_of(directory.path());
        let again = bootstrap(&data_dir, &runtime, now).unwrap();
        assert!(matches!(again.outcome, BootstrapOutcome::Unchanged { .. }), "{name}: {:?}", again.outcome);
        assert!(files_of(directory.path()) == once, "{name}: a second bootstrap changed something");
        assert_eq!(again.config.identity_fingerprint, started.config.identity_fingerprint, "{name}");
    }
}

#[test]
fn the_deployed_runtimes_own_result_is_left_as_it_is() {
    let file = vector_file("tenants.json");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let directory = copied(&vectors().join("tenants").join(name).join("after"));
        let before = files_of(directory.path());
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let started = bootstrap(&data_dir, &runtime_of(case, keys_of(&file)), now_of(&file)).unwrap();
        let after = files_of(directory.path());
        assert!(after.get("relay.enc") == before.get("relay.enc"), "{name}: {:?}", started.outcome);
        let config: Value = serde_json::from_str(&started.config.secret_json().unwrap()).unwrap();
        assert_eq!(config, case["config"], "{name}");
    }
}

#[test]
fn the_environment_goes_over_the_file_but_is_no_touch() {
    let file = vector_file("tenants.json");
    let case = cases(&file, "cases").iter().find(|case| text(case, "name") == "fresh-hosted").unwrap();
    let start = |enabled: Option<&str>, server: Option<&str>| {
        let directory = copied(&vectors().join("tenants/fresh-hosted/before"));
        let mut runtime = runtime_of(case, keys_of(&file));
        runtime.relay_environment = RelayEnvironment::from_values(enabled, server).0;
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let started = bootstrap(&data_dir, &runtime, now_of(&file)).unwrap();
        let saved = data_dir.relay_config().unwrap().value;
        (started.outcome, saved.enabled, saved.server_url)
    };
    let (outcome, enabled, _) = start(Some("true"), None);
    assert!(outcome == BootstrapOutcome::Bootstrapped && enabled);
    let (outcome, _, url) = start(None, Some("wss://env.example.test/ws/instance"));
    assert_eq!((outcome, url.as_str()), (BootstrapOutcome::Bootstrapped, "wss://env.example.test/ws/instance"));
    let (outcome, enabled, _) = start(Some("off"), None);
    let reason = Some(Error::RelayDisabled { by: "PULSE_RELAY_ENABLED" });
    assert_eq!((outcome, enabled), (BootstrapOutcome::Unchanged { reason }, false));
}

fn resolved_value(resolved: &ResolvedBilling) -> Value {
    json!({
        "subscription_state": resolved.subscription_state, "plan_version": resolved.plan_version,
        "capabilities": resolved.capabilities, "limits": resolved.limits,
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

#[test]
fn a_state_that_holds_a_lease_resolves_as_deployed() {
    let file = vector_file("leases.json");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        if case.get("stricter").is_some() {
            continue; // Refused here; what a refused lease resolves to is held by the other cases.
        }
        let binding = Some(text(case, "expected_host")).filter(|host| !host.is_empty());
        let checks = LeaseChecks::new(binding.map_or(HostBinding::AnyHost, HostBinding::Require));
        let mut state = BillingState::default();
        state.entitlement_jwt = text(case, "token").to_owned().into();
        let resolved = resolve_billing(&state, &keys_of(&file), &checks, now_of(case));
        if case.get("resolved_ours").is_some() {
            assert_eq!((resolved.plan_version.as_str(), resolved.subscription_state.as_str()), ("", ""), "{name}");
            state.trial_started_at = Some(1);
            let resolved = resolve_billing(&state, &keys_of(&file), &checks, now_of(case));
            assert_eq!(resolved.subscription_state, "expired", "{name}");
            continue;
        }
        let mut expected = without_null(&case["resolved_billing_state"]);
        if resolved.subscription_state == "expired" {
            // A trial that has ended holds nothing in the collections.
            expected["limits"] = json!({});
        }
        assert_eq!(resolved_value(&resolved), expected, "{name}");
    }
}

#[test]
fn billing_states_resolve_as_deployed() {
    let file = vector_file("billing.json");
    let checks = LeaseChecks::new(HostBinding::AnyHost);
    for case in cases(&file, "cases") {
        if !case["state_present"].as_bool().unwrap() {
            continue; // Tampered: storage.rs holds the refusal.
        }
        let name = text(case, "name");
        let directory = copied(&vectors().join("billing").join(name));
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let state = data_dir.billing_state(text(case, "org")).unwrap().value.unwrap();
        let resolved = resolve_billing(&state, &keys_of(&file), &checks, now_of(&file));
        assert_eq!(resolved_value(&resolved), without_null(&case["resolved"]), "{name}");
        assert_eq!(
            json!(resolved.trial_ends_at),
            case["resolved"].get("trial_ends_at").cloned().unwrap_or_default(),
            "{name}"
        );
    }
}

#[test]
fn tenants_are_issued_what_the_control_plane_issues() {
    let file = vector_file("issued.json");
    let key = SigningKey::generate().unwrap();
    let keys = TrustKeys { lease: TrustKeySet::new([key.public_key().clone()]), ..TrustKeys::default() };
    let now = now_of(&file);
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let order = TenantOrder {
            tenant_id: text(case, "tenant_id").into(),
            base_url: text(&file, "base_url").into(),
            email: text(case, "email").into(),
            plan_version: text(case, "plan_version").into(),
            subscription_state: text(case, "subscription_state").into(),
            trial_ends_at: None,
            stripe_customer_id: "cus_1".into(),
            stripe_subscription_id: "sub_1".into(),
            stripe_price_id: "price_1".into(),
        };
        let mut issued = issue_billing_state(&order, &key, now).unwrap();
        let expected = &case["billing_state"];
        assert_eq!(issued.billing.plan_version, text(expected, "plan_version"), "{name}");
        assert_eq!(issued.billing.subscription_state, text(expected, "subscription_state"), "{name}");
        assert_eq!(issued.billing.entitlement_refresh_token.len(), text(expected, "entitlement_refresh_token").len());
        if let Some(claims) = case.get("lease_claims").filter(|claims| !claims.is_null()) {
            let checks = LeaseChecks::new(HostBinding::Require(issued.instance_host.as_str()));
            let lease = InspectedLease::inspect(&issued.billing.entitlement_jwt, &keys, &checks, now).unwrap();
            let mut received = serde_json::to_value(lease.claims()).unwrap();
            // Beyond what the deployed control plane writes, each lease has an id of its own, for a revocation to name.
            let jti = received.as_object_mut().unwrap().remove("jti").unwrap();
            assert_eq!(jti.as_str().unwrap().len(), 32, "{name}");
            assert_eq!(received, *claims, "{name}");
        } else {
            assert!(issued.billing.entitlement_jwt.is_empty(), "{name}");
        }
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        data_dir.save_billing_state("default", &mut issued.billing).unwrap();
        let members = |bytes: &[u8]| -> Vec<String> {
            serde_json::from_slice::<serde_json::Map<String, Value>>(bytes).unwrap().keys().cloned().collect()
        };
        let deployed = std::fs::read(vectors().join("issued").join(name).join("billing.json")).unwrap();
        assert_eq!(members(&files_of(directory.path())["billing.json"]), members(&deployed), "{name}");
    }
}

#[test]
fn a_report_names_the_link_to_mend() {
    let file = vector_file("tenants.json");
    let broken = |name: &str| {
        let case = cases(&file, "cases").iter().find(|case| text(case, "name") == name).unwrap();
        let directory = copied(&vectors().join("tenants").join(name).join("before"));
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let report = readiness(&data_dir, &runtime_of(case, keys_of(&file)), now_of(&file));
        report.first_broken().map(|(link, error)| (link, error.name()))
    };
    assert_eq!(broken("fresh-hosted"), None);
    assert_eq!(broken("no-billing"), Some(("billing state", "FILE_MISSING")));
    assert_eq!(broken("lease-expired"), Some(("hosted lease", "EXPIRED")));
    assert_eq!(broken("lease-for-another-host"), Some(("hosted lease", "HOST_MISMATCH")));
    assert_eq!(broken("lease-of-another-key"), Some(("hosted lease", "SIGNATURE_INVALID")));
    assert_eq!(broken("lease-without-relay"), Some(("hosted lease", "CAPABILITY_MISSING")));
    assert_eq!(broken("lease-suspended"), Some(("hosted lease", "SUBSCRIPTION_INACTIVE")));
    assert_eq!(broken("operator-disabled"), Some(("relay config", "RELAY_DISABLED")));
    assert_eq!(broken("hosted-with-suspended-activation"), Some(("hosted lease", "ACTIVATION_SUSPENDED")));
    assert_eq!(broken("self-hosted-nothing"), Some(("relay config", "RELAY_DISABLED")));
    assert_eq!(LinkState::Holds("x".into()), LinkState::Holds("x".into()));
}
