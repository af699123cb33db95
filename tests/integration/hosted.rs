//! The bootstrap, the credential, the resolved billing state and the issuing, against deployed directories
//! (formats.md#billing-state, formats.md#hosted-bootstrap).

use crate::common::{cases, copied, text, time, trust_keys, vector_file, vectors};
use pulse_trust::Error;
use pulse_trust::hosted::{BootstrapOutcome, LinkState, Runtime, RuntimeMode, bootstrap, readiness};
use pulse_trust::keys::TrustKeys;
use pulse_trust::relay::RelayEnvironment;
use pulse_trust::storage::DataDir;
use serde_json::Value;

fn runtime_of(case: &Value, keys: TrustKeys) -> Runtime {
    let mode = if case["hosted_mode"].as_bool().unwrap() { RuntimeMode::Hosted } else { RuntimeMode::SelfHosted };
    let mut runtime = Runtime::new(mode, keys);
    runtime.public_url = Some(text(case, "expected_host").to_owned()).filter(|host| !host.is_empty());
    runtime
}

#[test]
fn the_environment_goes_over_the_file_but_is_no_touch() {
    let file = vector_file("tenants.json");
    let case = cases(&file, "cases").iter().find(|case| text(case, "name") == "fresh-hosted").unwrap();
    let start = |enabled: Option<&str>, server: Option<&str>| {
        let directory = copied(&vectors().join("tenants/fresh-hosted/before"));
        let mut runtime = runtime_of(case, trust_keys(&file));
        runtime.relay_environment = RelayEnvironment::from_values(enabled, server).0;
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let started = bootstrap(&data_dir, &runtime, time(&file, "now")).unwrap();
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

#[test]
fn a_report_names_the_link_to_mend() {
    let file = vector_file("tenants.json");
    let broken = |name: &str| {
        let case = cases(&file, "cases").iter().find(|case| text(case, "name") == name).unwrap();
        let directory = copied(&vectors().join("tenants").join(name).join("before"));
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let report = readiness(&data_dir, &runtime_of(case, trust_keys(&file)), time(&file, "now"));
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
