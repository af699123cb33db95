//! What the bootstrap does where something is missing, damaged or set by the environment (formats.md#hosted-bootstrap).

use std::fs;
use std::time::Duration;

use crate::common::sealing::{license_key, seal_text};
use crate::common::{cases, copied, files_of, set_mode, vector_file, vectors};
use pulse_trust::entitlement::{Capability, HostBinding, LeaseChecks};
use pulse_trust::hosted::{
    BootstrapOutcome, LinkName, LinkState, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state,
    readiness, registration_credential, resolve_billing,
};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{DisabledBy, RelayEnvironment};
use pulse_trust::storage::{BillingState, DataDir, Revision};
use pulse_trust::{Error, UnixTime, Warning};
use serde_json::Value;

fn tenant(name: &str) -> (tempfile::TempDir, Runtime, UnixTime) {
    let file = vector_file("tenants.json");
    let case = cases(&file, "cases").iter().find(|case| case["name"] == name).unwrap();
    let set = |name: &str| TrustKeySet::from_setting(file[name].as_str().unwrap()).unwrap();
    let keys = TrustKeys::new(set("hosted_public_key"), set("license_public_key"));
    let hosted = case["hosted_mode"].as_bool().unwrap();
    let mode = if hosted { RuntimeMode::Hosted } else { RuntimeMode::SelfHosted };
    let mut runtime = Runtime::new(mode, keys);
    runtime.public_url = case["expected_host"].as_str().filter(|host| !host.is_empty()).map(str::to_owned);
    let directory = copied(&vectors().join("tenants").join(name).join("before"));
    (directory, runtime, UnixTime::from_secs(file["now"].as_i64().unwrap()))
}

#[test]
fn an_activation_that_cannot_be_read_lifts_no_suspension() {
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 7] = [
        ("emptied", |directory| fs::write(directory.join("activation.enc"), "").unwrap()),
        ("cut", |directory| {
            let whole = fs::read(directory.join("activation.enc")).unwrap();
            fs::write(directory.join("activation.enc"), &whole[..whole.len() / 2]).unwrap();
        }),
        ("one bit", |directory| {
            let mut whole = fs::read(directory.join("activation.enc")).unwrap();
            whole[20] ^= 1;
            fs::write(directory.join("activation.enc"), whole).unwrap();
        }),
        ("a directory", |directory| {
            fs::remove_file(directory.join("activation.enc")).unwrap();
            fs::create_dir(directory.join("activation.enc")).unwrap();
        }),
        ("a link to nothing", |directory| {
            fs::remove_file(directory.join("activation.enc")).unwrap();
            std::os::unix::fs::symlink("nowhere", directory.join("activation.enc")).unwrap();
        }),
        ("its key gone", |directory| fs::remove_file(directory.join(".license-key")).unwrap()),
        ("its key emptied", |directory| fs::write(directory.join(".license-key"), "").unwrap()),
    ];
    for (name, damage) in damages {
        let (directory, runtime, now) = tenant("hosted-with-suspended-activation");
        damage(directory.path());
        let before = files_of(directory.path());
        let locked = DataDir::new(directory.path()).lock().unwrap();
        let started = bootstrap(&locked, &runtime, now).unwrap();
        assert!(files_of(directory.path()) == before, "{name}: the suspension was lifted, and that was saved");
        let error = started.credential.require_secret_token().unwrap_err();
        let Error::ActivationUnreadable { path, .. } = &error else { panic!("{name}: {error:?}") };
        assert!(path.ends_with("activation.enc"), "{name}: {error}");
        assert_eq!(started.outcome, BootstrapOutcome::Unchanged { reason: Some(error.clone()) }, "{name}");
        assert!(!started.credential.is_suspended(), "{name}: nobody knows");
        let chosen = registration_credential(locked.reader(), &runtime, now);
        assert_eq!(chosen.blocked, Some(error), "{name}");
        assert!(readiness(locked.reader(), &runtime, now).first_broken().is_some(), "{name}");
    }
}

#[test]
fn a_new_identity_is_saved_with_the_environments_values() {
    let (directory, mut runtime, now) = tenant("operator-enabled-no-identity");
    let url = "wss://env.example.test/ws/instance";
    runtime.relay_environment = RelayEnvironment::from_values(None, Some(url)).0;
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let started = bootstrap(&locked, &runtime, now).unwrap();
    assert_eq!(started.outcome, BootstrapOutcome::IdentityMade);
    assert_eq!(locked.relay_config().unwrap().value.server_url, url);
}

#[test]
fn a_config_that_the_environment_enables_gets_its_identity_for_a_grant_too() {
    let (directory, mut runtime, now) = tenant("hosted-with-activation");
    fs::remove_file(directory.path().join("billing.json")).unwrap();
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let started = bootstrap(&locked, &runtime, now).unwrap();
    assert_eq!(started.outcome, BootstrapOutcome::Unchanged { reason: Some(Error::NoLease) }, "nobody enabled it");

    runtime.relay_environment = RelayEnvironment::from_values(Some("on"), None).0;
    let started = bootstrap(&locked, &runtime, now).unwrap();
    assert_eq!(started.outcome, BootstrapOutcome::IdentityMade);
    let saved = locked.relay_config().unwrap().value;
    assert!(saved.enabled && saved.identity().is_ok());
    let again = bootstrap(&locked, &runtime, now).unwrap();
    assert_eq!(again.outcome, BootstrapOutcome::Unchanged { reason: None });
    assert_eq!(again.config.identity_fingerprint, saved.identity_fingerprint);
}

#[test]
fn readiness_asks_for_the_instance_secret_of_a_grant() {
    let (directory, runtime, now) = tenant("self-hosted-activation");
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let link = || {
        let report = readiness(locked.reader(), &runtime, now);
        report.links.into_iter().find(|link| link.name == LinkName::InstanceSecret).unwrap().state
    };
    assert!(matches!(link(), LinkState::Holds(_)), "{:?}", link());
    let mut loaded = locked.relay_config().unwrap();
    loaded.value.instance_secret = String::new().into();
    locked.save_relay_config(&loaded.value, &loaded.revision, Default::default()).unwrap();
    assert_eq!(link(), LinkState::Broken(Error::InstanceHintMissing));
}

#[test]
fn warnings_of_every_file_arrive() {
    let (directory, runtime, now) = tenant("self-hosted-activation");
    let license = seal_text(
        license_key(fs::read_to_string(directory.path().join(".license-key")).unwrap().trim()),
        r#"{"license_key":"a.b.c"}"#,
    );
    fs::write(directory.path().join("license.enc"), license).unwrap();
    for name in ["activation.enc", "license.enc", ".license-key"] {
        set_mode(&directory.path().join(name), 0o644);
    }
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let reports = [
        bootstrap(&locked, &runtime, now).unwrap().warnings,
        readiness(locked.reader(), &runtime, now).warnings,
        registration_credential(locked.reader(), &runtime, now).warnings,
    ];
    for warnings in reports {
        for name in ["activation.enc", "license.enc", ".license-key"] {
            let path = directory.path().join(name).display().to_string();
            let expected = Warning::WideMode { path, mode: 0o644 };
            assert!(warnings.contains(&expected), "{name}: {warnings:?}");
        }
    }
}

/// The key is read for the config, for the billing state, and to save: that it is readable is told once.
#[test]
fn a_warning_is_told_once() {
    let (directory, runtime, now) = tenant("fresh-hosted");
    let key = directory.path().join(".encryption.key");
    set_mode(&key, 0o644);
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let expected = Warning::WideMode { path: key.display().to_string(), mode: 0o644 };
    for warnings in [
        readiness(locked.reader(), &runtime, now).warnings,
        registration_credential(locked.reader(), &runtime, now).warnings,
        bootstrap(&locked, &runtime, now).unwrap().warnings,
        bootstrap(&locked, &runtime, now).unwrap().warnings,
    ] {
        assert_eq!(warnings.iter().filter(|warning| **warning == expected).count(), 1, "{warnings:?}");
    }
}

/// A suspended or expired state was said to grant what it names.
#[test]
fn a_billing_state_counts_for_what_its_state_lets_it() {
    let now = UnixTime::from_secs(1_800_000_000);
    let relay = Capability::RELAY;
    let counts = |state: &str, trial_ends_at: Option<UnixTime>| {
        let mut billing = BillingState::default();
        billing.capabilities = vec![relay.clone()];
        billing.subscription_state = Some(state.into());
        billing.trial_ends_at = trial_ends_at;
        let checks = LeaseChecks::new(HostBinding::AnyHost);
        let granted = resolve_billing(&billing, &TrustKeys::default(), &checks, now).capabilities_at(now);
        assert!(granted.contains(&Capability::from("sso")), "the free set counts always");
        granted.contains(&relay)
    };
    for (state, expected) in [("active", true), ("grace", true), ("", false), ("expired", false), ("suspended", false)]
    {
        assert_eq!(counts(state, None), expected, "{state}");
    }
    let trial = |seconds: i64| counts("trial", Some(UnixTime::from_secs(now.as_secs() + seconds)));
    assert_eq!((trial(1), trial(0), counts("trial", None)), (true, false, false));
}

#[test]
fn a_trial_that_would_end_before_it_begins_is_not_issued() {
    let now = UnixTime::from_secs(1_800_000_000);
    let key = SigningKey::generate().unwrap();
    let issued = |trial_ends_at: Option<UnixTime>| {
        let mut order = TenantOrder::new("t-a", "https://cloud.example.test");
        order.subscription_state = Some("trial".into());
        order.trial_ends_at = trial_ends_at;
        issue_billing_state(&order, BillingState::default(), &key, now).map(drop)
    };
    assert_error!(issued(Some(now)).unwrap_err(), TrialEnded { ended_at: now, now: now });
    assert_eq!((issued(Some(now.saturating_add(Duration::from_secs(1)))), issued(None)), (Ok(()), Ok(())));
}

#[test]
fn issuing_again_keeps_what_the_tenant_has() {
    let directory = tempfile::tempdir().unwrap();
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let key = SigningKey::generate().unwrap();
    let now = UnixTime::from_secs(1_800_000_000);
    let mut order = {
        let mut tenant_order = TenantOrder::new("t-a", "https://cloud.example.test");
        tenant_order.stripe_customer_id = Some("cus_1".to_owned());
        tenant_order
    };
    let mut issued = issue_billing_state(&order, BillingState::default(), &key, now).unwrap();
    issued.billing.quickstart_credits_granted = true;
    issued.billing.quickstart_credits_used = 7;
    issued.billing.quickstart_credits_granted_at = Some(UnixTime::from_secs(5));
    issued.billing.trial_started_at = Some(UnixTime::from_secs(3));
    issued.billing.trial_extended_at = Some(UnixTime::from_secs(4));
    locked.save_billing_state("default", &mut issued.billing, &Revision::ABSENT).unwrap();
    // A member of a later version.
    let path = directory.path().join("billing.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen('{', "{\"future\":{\"a\":1.50},", 1)).unwrap();

    order.stripe_customer_id = None;
    for state in ["", "suspended"] {
        order.subscription_state = Some(state.into());
        let loaded = locked.billing_state("default").unwrap();
        let mut issued = issue_billing_state(&order, loaded.value.unwrap(), &key, now).unwrap();
        locked.save_billing_state("default", &mut issued.billing, &loaded.revision).unwrap();
        let on_disk: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(on_disk["quickstart_credits_used"], 7);
        assert_eq!((&on_disk["trial_started_at"], &on_disk["trial_extended_at"]), (&3.into(), &4.into()));
        assert_eq!(on_disk["stripe_customer_id"], "cus_1", "the order gives none");
        assert!(fs::read_to_string(&path).unwrap().contains("\"future\":{\"a\":1.50}"));
        assert_eq!(on_disk.get("entitlement_jwt").is_some(), state.is_empty());
        assert_eq!(on_disk["subscription_state"], state);
    }
}

#[test]
fn a_setting_that_is_not_utf8_is_no_missing_one() {
    use std::os::unix::ffi::OsStrExt;
    const CHILD: &str = "PULSE_TRUST_TEST_SETTINGS";
    if std::env::var_os(CHILD).is_some() {
        let error = Runtime::from_process().unwrap_err();
        assert_error!(error, SettingInvalid { setting: "PULSE_PUBLIC_URL", reason: "it is set, but not to UTF-8" });
        let legacy = pulse_trust::hosted::legacy_key_path_from_process();
        assert!(matches!(legacy, Err(Error::SettingInvalid { setting: "PULSE_LEGACY_KEY_PATH", .. })), "{legacy:?}");
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hosted_edges::a_setting_that_is_not_utf8_is_no_missing_one", "--nocapture"])
        .env(CHILD, "1")
        .env("PULSE_PUBLIC_URL", std::ffi::OsStr::from_bytes(b"https://\xff"))
        .env("PULSE_LEGACY_KEY_PATH", "relative")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_migration_is_normalized_when_it_is_written() {
    let directory = copied(&vectors().join("relay_enc/absent"));
    let cases = [
        (
            r#"{"state":" pending ","first_failed_at":-5}"#,
            Some(
                r#"{"source":"v5_license","state":"pending","recommended_action":"retry_activation","first_failed_at":0}"#,
            ),
        ),
        (
            r#"{"state":"failed","source":" s ","recommended_action":" "}"#,
            Some(r#"{"source":"s","state":"failed","recommended_action":"use_v6_activation_key"}"#),
        ),
        (r#"{"state":"done","source":"s"}"#, None),
        (r#"{"source":"s"}"#, None),
    ];
    for (migration, expected) in cases {
        let path = directory.path().join("billing.json");
        fs::write(&path, format!(r#"{{"commercial_migration":{migration}}}"#)).unwrap();
        DataDir::new(directory.path()).lock().unwrap().billing_state("default").unwrap();
        let written = fs::read_to_string(&path).unwrap();
        match expected {
            Some(expected) => assert!(written.contains(&format!("\"commercial_migration\":{expected}")), "{written}"),
            None => assert!(!written.contains("commercial_migration"), "{written}"),
        }
    }
}

/// What a report says of one link.
fn link(directory: &std::path::Path, runtime: &Runtime, now: UnixTime, name: &str) -> LinkState {
    let report = readiness(&DataDir::new(directory).open_read_only().unwrap(), runtime, now);
    report.links.into_iter().find(|link| link.name.as_str() == name).unwrap().state
}

#[test]
fn a_report_says_why_the_relay_is_off_and_who_could_switch_it_on() {
    let (directory, mut runtime, now) = tenant("hosted-with-activation");
    fs::remove_file(directory.path().join("billing.json")).unwrap();
    let path = directory.path();
    // Nobody has configured it, and no lease does.
    assert_eq!(link(path, &runtime, now, "relay config"), LinkState::Broken(Error::NoLease));
    assert_eq!(link(path, &runtime, now, "identity"), LinkState::Broken(Error::NoLease));
    runtime.relay_environment = RelayEnvironment::from_values(Some("on"), None).0;
    let state = link(path, &runtime, now, "relay config");
    assert!(matches!(&state, LinkState::Holds(seen) if seen.starts_with("enabled, wss://")), "{state:?}");

    let (directory, mut runtime, now) = tenant("self-hosted-activation");
    let path = directory.path();
    let mut config = DataDir::new(path).lock().unwrap().relay_config().unwrap();
    let off = |state: LinkState, who: DisabledBy| {
        let LinkState::Broken(error) = state else { panic!("{state:?}") };
        assert_error!(error, RelayDisabled { by: who });
    };
    runtime.relay_environment = RelayEnvironment::from_values(Some("off"), None).0;
    off(link(path, &runtime, now, "relay config"), DisabledBy::Environment);
    runtime.relay_environment = RelayEnvironment::default();
    config.value.enabled = false;
    let locked = DataDir::new(path).lock().unwrap();
    locked.save_relay_config(&config.value, &config.revision, Default::default()).unwrap();
    drop(locked);
    off(link(path, &runtime, now, "relay config"), DisabledBy::Config);
}

#[test]
fn a_choice_without_a_credential_says_what_is_wrong_with_each() {
    let (directory, runtime, now) = tenant("fresh-hosted");
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let reason = |now: UnixTime| {
        let choice = registration_credential(locked.reader(), &runtime, now);
        assert!(!choice.is_suspended());
        match choice.require_secret_token() {
            Err(Error::NoCredential { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    };
    let later = now.saturating_add(Duration::from_secs(10 * 365 * 86_400));
    assert!(reason(later).starts_with("hosted lease: "), "{}", reason(later));
    let state = locked.billing_state("default").unwrap().value.unwrap();
    let resolved = resolve_billing(&state, &runtime.keys, &runtime.lease_checks(), later);
    assert!(resolved.lease_error.is_some_and(|error| error.is_about_time()));
    let mut loaded = locked.billing_state("default").unwrap();
    let mut state = loaded.value.take().unwrap();
    state.entitlement_jwt = None;
    locked.save_billing_state("default", &mut state, &loaded.revision).unwrap();
    assert_eq!(reason(now), "there is no activation, license or lease");
    let started = bootstrap(&locked, &runtime, now).unwrap();
    assert_eq!(started.outcome, BootstrapOutcome::Unchanged { reason: Some(Error::NoLease) });
}

#[test]
fn only_a_lease_gives_a_tenant_that_nobody_configured_its_instance_secret() {
    let (directory, runtime, now) = tenant("hosted-with-activation");
    let path = directory.path();
    let state = link(path, &runtime, now, "instance secret");
    assert!(matches!(state, LinkState::WillBeMade(_)), "{state:?}");
    fs::remove_file(path.join("billing.json")).unwrap();
    assert_eq!(link(path, &runtime, now, "instance secret"), LinkState::Broken(Error::InstanceHintMissing));
}

#[test]
fn a_suspended_activation_says_so() {
    for (name, is_suspended) in [("self-hosted-activation-suspended", true), ("self-hosted-activation", false)] {
        let (directory, runtime, now) = tenant(name);
        let locked = DataDir::new(directory.path()).lock().unwrap();
        assert_eq!(registration_credential(locked.reader(), &runtime, now).is_suspended(), is_suspended, "{name}");
    }
}

#[test]
fn what_the_environment_says_is_read() {
    use pulse_trust::hosted::legacy_key_path_from_process;
    const CHILD: &str = "PULSE_TRUST_TEST_ENVIRONMENT";
    if let Some(legacy) = std::env::var_os(CHILD) {
        let expected = match legacy.to_str().unwrap() {
            "default" => Some("/etc/pulse/.encryption.key".into()),
            "none" => None,
            path => Some(std::path::PathBuf::from(path)),
        };
        assert_eq!(legacy_key_path_from_process(), Ok(expected));
        let (runtime, warnings) = Runtime::from_process().unwrap();
        assert_eq!(
            (runtime.mode, runtime.public_url.as_deref()),
            (RuntimeMode::Hosted, Some("https://t.example.test"))
        );
        let keys = std::env::var("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY").unwrap();
        assert_eq!((runtime.keys.lease.to_string(), runtime.keys.license.is_empty()), (keys, true));
        assert!(!runtime.relay_environment.enabled_over(true) && warnings.is_empty());
        return;
    }
    let key = SigningKey::from_seed(&[7; 32]).unwrap().public_key().to_base64();
    for legacy in ["default", "none", "/other/key"] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "hosted_edges::what_the_environment_says_is_read", "--nocapture"])
            .env(CHILD, legacy)
            .env("PULSE_HOSTED_MODE", " On ")
            .env("PULSE_PUBLIC_URL", " https://t.example.test ")
            .env("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", &key)
            .env("PULSE_RELAY_ENABLED", "off")
            .env_remove("PULSE_LICENSE_PUBLIC_KEY")
            .env_remove("PULSE_RELAY_SERVER");
        match legacy {
            "default" => child.env_remove("PULSE_LEGACY_KEY_PATH"),
            "none" => child.env("PULSE_LEGACY_KEY_PATH", ""),
            path => child.env("PULSE_LEGACY_KEY_PATH", path),
        };
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }
}
