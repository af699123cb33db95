//! The bootstrap, the credential, the resolved billing state and the issuing, against deployed directories
//! (formats.md#billing-state, formats.md#hosted-bootstrap).

use crate::common::{cases, copied, text, time, trust_keys, vector_file, vectors};
use pulse_trust::hosted::{BootstrapOutcome, LinkName, LinkState, Runtime, RuntimeMode, bootstrap, readiness};
use pulse_trust::keys::TrustKeys;
use pulse_trust::relay::{DisabledBy, RelayEnvironment};
use pulse_trust::storage::DataDir;
use pulse_trust::{Error, UnixTime, Warning};
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
    let BootstrapOutcome::Unchanged { reason: Some(reason) } = outcome else { panic!("{outcome:?}") };
    assert_error!(reason, RelayDisabled { by: DisabledBy::Environment });
    assert!(!enabled);
}

#[test]
fn a_report_names_the_link_to_mend() {
    let file = vector_file("tenants.json");
    let broken = |name: &str| {
        let case = cases(&file, "cases").iter().find(|case| text(case, "name") == name).unwrap();
        let directory = copied(&vectors().join("tenants").join(name).join("before"));
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let report = readiness(data_dir.reader(), &runtime_of(case, trust_keys(&file)), time(&file, "now"));
        report.first_broken().map(|(link, error)| (link.as_str(), error.name()))
    };
    assert_eq!(broken("fresh-hosted"), None);
    assert_eq!(broken("no-billing"), Some(("billing state", "FILE_MISSING")));
    assert_eq!(broken("lease-expired"), Some(("hosted lease", "EXPIRED")));
    assert_eq!(broken("lease-for-another-host"), Some(("hosted lease", "HOST_MISMATCH")));
    assert_eq!(broken("lease-of-another-key"), Some(("hosted lease", "SIGNATURE_INVALID")));
    assert_eq!(broken("lease-without-relay"), Some(("hosted lease", "CAPABILITY_MISSING")));
    assert_eq!(broken("lease-suspended"), Some(("hosted lease", "SUBSCRIPTION_INACTIVE")));
    assert_eq!(broken("operator-disabled"), Some(("relay config", "RELAY_DISABLED")));
    assert_eq!(broken("hosted-with-suspended-activation"), Some(("activation", "ACTIVATION_SUSPENDED")));
    assert_eq!(broken("self-hosted-nothing"), Some(("relay config", "RELAY_DISABLED")));
    assert_eq!(LinkState::Holds("x".into()), LinkState::Holds("x".into()));
}

/// A switched-off relay was reported as a broken lease.
#[test]
fn a_report_does_not_blame_the_lease_for_what_the_environment_switches_off() {
    let file = vector_file("tenants.json");
    let case = cases(&file, "cases").iter().find(|case| text(case, "name") == "fresh-hosted").unwrap();
    let directory = copied(&vectors().join("tenants/fresh-hosted/before"));
    let mut runtime = runtime_of(case, trust_keys(&file));
    runtime.relay_environment = RelayEnvironment::from_values(Some("off"), None).0;
    let report = readiness(&DataDir::new(directory.path()).open_read_only().unwrap(), &runtime, time(&file, "now"));
    let (name, error) = report.first_broken().unwrap();
    assert_eq!(name, LinkName::RelayConfig);
    assert_error!(*error, RelayDisabled { by: DisabledBy::Environment });
    let lease = report.links.iter().find(|link| link.name == LinkName::HostedLease).unwrap();
    assert!(matches!(lease.state, LinkState::Holds(_)), "{lease:?}");
}

/// A directory without a relay.enc was reported as disabled by that file, and an identity was promised where none is made.
#[test]
fn a_report_says_what_disables_the_relay_and_promises_only_what_a_start_makes() {
    let directory = tempfile::tempdir().unwrap();
    let now = UnixTime::from_secs(1_800_000_000);
    let report = readiness(
        &DataDir::new(directory.path()).open_read_only().unwrap(),
        &Runtime::new(RuntimeMode::SelfHosted, TrustKeys::default()),
        now,
    );
    let (name, error) = report.first_broken().unwrap();
    assert_eq!(name, LinkName::RelayConfig);
    assert_error!(*error, RelayDisabled { by: DisabledBy::NoConfig });
    let promised: Vec<_> = report
        .links
        .iter()
        .filter(|link| matches!(link.state, LinkState::WillBeMade(_)))
        .map(|link| link.name)
        .collect();
    assert!(promised.is_empty(), "{promised:?}");
}

#[test]
fn opened_for_reading_alone_a_directory_is_read_and_left_as_it_is() {
    let file = vector_file("tenants.json");
    for name in ["fresh-hosted", "operator-disabled"] {
        let case = cases(&file, "cases").iter().find(|case| text(case, "name") == name).unwrap();
        let directory = copied(&vectors().join("tenants").join(name).join("before"));
        let before = listing(directory.path());
        let opened = DataDir::new(directory.path()).open_read_only().unwrap();
        let report = readiness(&opened, &runtime_of(case, trust_keys(&file)), time(&file, "now"));
        assert_eq!(report.first_broken().is_none(), name == "fresh-hosted", "{report:?}");
        // Not even a lock file.
        assert_eq!(listing(directory.path()), before);
    }
    // Files of older forms stay as they are, under the lock too.
    let directory = copied(&vectors().join("billing/secrets-in-plain"));
    std::fs::write(directory.path().join("relay.enc"), r#"{"enabled":true}"#).unwrap();
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let before = listing(directory.path());
    for reader in [&DataDir::new(directory.path()).open_read_only().unwrap(), locked.reader()] {
        let (config, billing) = (reader.relay_config().unwrap(), reader.billing_state("default").unwrap());
        assert!(config.value.enabled && billing.value.unwrap().entitlement_jwt.is_some());
        let mut warnings = config.warnings.iter().chain(&billing.warnings);
        assert!(!warnings.any(|warning| matches!(warning, Warning::RewriteFailed { .. })));
        assert_eq!(listing(directory.path()), before);
    }
    let absent = DataDir::new("/nonexistent").open_read_only();
    assert!(matches!(absent, Err(Error::FileMissing { .. })));
}

fn listing(directory: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap_or_default())
        })
        .collect();
    files.sort();
    files
}
