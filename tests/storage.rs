//! relay.enc, billing.json and the license files, against the deployed ones (FORMATS 7, 8).
#![cfg(feature = "storage")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use common::{cases, copied, files_of, vector_file, vectors};
use pulse_trust::relay::{Identity, RelayConfig};
use pulse_trust::storage::{BillingState, DataDir};
use pulse_trust::{Error, Warning};
use serde_json::{Value, json};

fn config_value(config: &RelayConfig) -> Value {
    serde_json::from_str(&config.secret_json().unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn relay_enc_is_read_and_kept_as_deployed() {
    let file = vector_file("relay_enc.json");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let directory = copied(&vectors().join("relay_enc").join(name));
        let before = files_of(directory.path());
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let loaded = data_dir.relay_config();
        if case["error"].as_bool().unwrap() {
            let error = loaded.unwrap_err();
            assert!(matches!(error, Error::UnsealFailed { .. } | Error::FileMalformed { .. }), "{name}: {error:?}");
            assert!(files_of(directory.path()) == before, "{name}: a refused file was changed");
            continue;
        }
        let config = loaded.unwrap().value;
        let mut value = config_value(&config);
        let known = case["config"].as_object().unwrap();
        value.as_object_mut().unwrap().retain(|member, _| known.contains_key(member));
        assert_eq!(value, case["config"], "{name}");
        let after = files_of(directory.path());
        let is_plain = before.get("relay.enc").is_some_and(|bytes| bytes.starts_with(b"{"));
        assert_eq!(after.get("relay.enc") != before.get("relay.enc"), is_plain, "{name}");
        if is_plain {
            assert!(!after["relay.enc"].starts_with(b"{"), "{name}: still plain");
            assert_eq!(mode(&directory.path().join("relay.enc")), 0o600, "{name}");
            assert_eq!(config_value(&data_dir.relay_config().unwrap().value), config_value(&config), "{name}");
        }
    }
}

#[test]
fn members_we_do_not_know_survive_load_change_and_save() {
    let plain = br#"{"z_future":{"b":1,"a":[1.50,"<"]},"enabled":false,"another":12345678901234567890}"#;
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("relay.enc"), plain).unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let mut config = data_dir.relay_config().unwrap().value;
    config.enabled = true;
    config.set_identity(&Identity::generate().unwrap());
    data_dir.save_relay_config(&config).unwrap();
    let again = data_dir.relay_config().unwrap().value.secret_json().unwrap().to_string();
    assert_eq!(again, config.secret_json().unwrap().as_str());
    let (z, another) =
        (again.find(r#""z_future": {"b":1,"a":[1.50,"<"]}"#), again.find(r#""another": 12345678901234567890"#));
    assert!(again.find("identity_fingerprint") < z && z < another && z.is_some(), "{again}");
}

#[test]
fn a_config_is_written_as_go_writes_it() {
    let file = vector_file("relay_enc.json");
    let plain = fs::read_to_string(vectors().join("relay_enc/legacy-plain/relay.enc")).unwrap();
    let config = RelayConfig::from_json(&plain).unwrap();
    assert_eq!(config.secret_json().unwrap().as_str(), plain);
    assert!(!cases(&file, "cases").is_empty());
    for bad in ["[]", "null", "1", r#"{"enabled":true,"enabled":true}"#, r#"{"x":1,"x":2}"#, r#"{"enabled":"yes"}"#] {
        assert!(RelayConfig::from_json(bad).is_err(), "{bad}");
    }
}

/// What the vectors show of a state: its members as they would be written, secrets in plain.
fn state_value(state: &BillingState) -> Value {
    let mut value = json!({
        "capabilities": state.capabilities, "limits": state.limits, "meters_enabled": state.meters_enabled,
        "plan_version": state.plan_version, "subscription_state": state.subscription_state,
    });
    let members = value.as_object_mut().unwrap();
    for (name, text) in [
        ("entitlement_jwt", state.entitlement_jwt.as_str()),
        ("entitlement_refresh_token", state.entitlement_refresh_token.as_str()),
        ("integrity", &state.integrity),
        ("stripe_customer_id", &state.stripe_customer_id),
        ("stripe_subscription_id", &state.stripe_subscription_id),
        ("stripe_price_id", &state.stripe_price_id),
    ] {
        if !text.is_empty() {
            members.insert(name.into(), text.into());
        }
    }
    for (name, number) in [
        ("trial_started_at", state.trial_started_at),
        ("trial_ends_at", state.trial_ends_at),
        ("trial_extended_at", state.trial_extended_at),
        ("overflow_granted_at", state.overflow_granted_at),
        ("quickstart_credits_used", Some(state.quickstart_credits_used).filter(|used| *used != 0)),
        ("quickstart_credits_granted_at", state.quickstart_credits_granted_at),
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

#[test]
fn billing_states_are_read_and_rewritten_as_deployed() {
    let file = vector_file("billing.json");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let org = text(case, "org");
        let directory = copied(&vectors().join("billing").join(name));
        let before = files_of(directory.path());
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let loaded = data_dir.billing_state(org);
        let after = files_of(directory.path());
        if !case["state_present"].as_bool().unwrap() {
            assert!(matches!(loaded, Err(Error::BillingTampered { .. })), "{name}: {loaded:?}");
            assert!(after == before, "{name}: a refused file was changed");
            continue;
        }
        let state = loaded.unwrap().value.unwrap();
        let billing_path = if org == "default" { "billing.json".into() } else { format!("orgs/{org}/billing.json") };
        assert_eq!(after[&billing_path] != before[&billing_path], case["file_rewritten"].as_bool().unwrap(), "{name}");
        let on_disk: Value = serde_json::from_slice(&after[&billing_path]).unwrap();
        // Under an older payload the deployed runtime clears in memory alone; here the file is signed anew.
        let rewritten_ours = on_disk["integrity"].as_str().unwrap_or_default();
        assert_eq!(rewritten_ours, state.integrity, "{name}");
        if state.entitlement_jwt.is_empty() {
            let mut expected = case["resolved"].clone();
            if text(&expected, "integrity") != state.integrity {
                assert!(name.starts_with("integrity-"), "{name}");
                expected["integrity"] = state.integrity.clone().into();
            }
            assert_eq!(state_value(&state), expected, "{name}");
        } else {
            assert_eq!(state.entitlement_jwt.as_str(), text(&case["resolved"], "entitlement_jwt"), "{name}");
            assert_eq!(state.integrity, text(case, "integrity_after"), "{name}");
            let again = data_dir.billing_state(org).unwrap().value.unwrap();
            assert_eq!(state_value(&again), state_value(&state), "{name}");
        }
    }
}

#[test]
fn what_the_control_plane_issued_is_written_byte_for_byte_but_for_the_sealing() {
    let file = vector_file("issued.json");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let directory = copied(&vectors().join("issued").join(name));
        let before: Value = serde_json::from_slice(&files_of(directory.path())["billing.json"]).unwrap();
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let mut state = data_dir.billing_state("default").unwrap().value.unwrap();
        assert_eq!(state_value(&state), case["billing_state"], "{name}");
        let integrity = state.integrity.clone();
        data_dir.save_billing_state("default", &mut state).unwrap();
        assert_eq!(state.integrity, integrity, "{name}");
        let bytes = files_of(directory.path()).remove("billing.json").unwrap();
        let after: Value = serde_json::from_slice(&bytes).unwrap();
        let unsealed = |value: &Value| {
            let mut value = value.clone();
            for secret in ["entitlement_jwt", "entitlement_refresh_token"] {
                if let Some(sealed) = value.get_mut(secret) {
                    *sealed = sealed.as_str().unwrap().len().into();
                }
            }
            value
        };
        assert_eq!(unsealed(&after), unsealed(&before), "{name}");
        let order = |text: &[u8]| {
            let text = String::from_utf8(text.to_vec()).unwrap();
            ["\"capabilities\"", "\"limits\"", "\"plan_version\"", "\"stripe_price_id\""].map(|name| text.find(name))
        };
        assert!(order(&bytes).is_sorted(), "{name}");
    }
}

#[test]
fn no_new_key_is_made_while_something_sealed_is_there() {
    let sealed = fs::read(vectors().join("relay_enc/whole/relay.enc")).unwrap();
    let config = RelayConfig::default();
    let lost = |path: &str, bytes: &[u8]| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let outcome = data_dir.save_relay_config(&config);
        let has_key = directory.path().join(".encryption.key").exists();
        match outcome {
            Err(Error::KeyFileLost { sealed, .. }) => {
                assert!(!has_key && sealed.contains(path.to_str().unwrap()), "{sealed}");
                true
            }
            Ok(_) => {
                assert!(has_key);
                false
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    let billing = format!(r#"{{"entitlement_jwt":"{}"}}"#, "A".repeat(40));
    for path in ["nodes.enc", "email.enc.bak", "relay.enc.old", "orgs/acme/nodes.enc", "orgs/a/b/x.enc"] {
        assert!(lost(path, &sealed), "{path}");
        assert!(!lost(path, b"{\"plain\":true}"), "{path}");
    }
    for path in ["license.enc", "activation.enc", "activation.enc.bak", "notes.txt"] {
        assert!(!lost(path, &sealed), "{path}");
    }
    assert!(lost("orgs/acme/billing.json", billing.as_bytes()));
    assert!(lost("billing.json", billing.as_bytes()));
    assert!(!lost("billing.json", br#"{"entitlement_jwt":"a.b.c"}"#));
}

#[test]
fn a_key_file_that_holds_no_key_is_never_overwritten() {
    for content in ["", "short", "!!!!", &"A".repeat(2000)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".encryption.key");
        fs::write(&path, content).unwrap();
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let error = data_dir.save_relay_config(&RelayConfig::default()).unwrap_err();
        assert!(matches!(error, Error::KeyFileUnreadable { .. } | Error::FileTooLarge { .. }), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        assert!(!directory.path().join("relay.enc").exists());
    }
}

#[test]
fn only_regular_bounded_files_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.enc");
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    data_dir.save_relay_config(&RelayConfig::default()).unwrap();
    fs::remove_file(&path).unwrap();
    symlink("/etc/hostname", &path).unwrap();
    assert!(matches!(data_dir.relay_config(), Err(Error::FileNotRegular { .. })));
    assert!(matches!(data_dir.save_relay_config(&RelayConfig::default()), Err(Error::FileNotRegular { .. })));
    assert!(path.is_symlink());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(data_dir.relay_config(), Err(Error::FileNotRegular { .. })));
    fs::remove_dir(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    assert!(matches!(data_dir.relay_config(), Err(Error::FileNotRegular { .. })));
    fs::remove_file(&path).unwrap();
    fs::write(&path, vec![0; 300 * 1024]).unwrap();
    assert!(matches!(data_dir.relay_config(), Err(Error::FileTooLarge { .. })));
}

#[test]
fn written_files_have_mode_0600_and_leave_nothing_beside_them() {
    let parent = tempfile::tempdir().unwrap();
    let data_dir = DataDir::create(parent.path().join("data")).unwrap();
    assert_eq!(mode(data_dir.path()), 0o700);
    let locked = data_dir.lock().unwrap();
    locked.save_relay_config(&RelayConfig::default()).unwrap();
    let names: Vec<_> = files_of(data_dir.path()).into_keys().collect();
    assert_eq!(names, [".encryption.key", "relay.enc"]);
    for name in names {
        assert_eq!(mode(&data_dir.path().join(name)), 0o600);
    }
    let path = data_dir.path().join("relay.enc");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = locked.relay_config().unwrap().warnings;
    assert!(matches!(warnings.as_slice(), [Warning::WideMode { mode: 0o644, .. }]), "{warnings:?}");
    locked.save_relay_config(&RelayConfig::default()).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn the_lock_keeps_others_out() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path());
    let locked = data_dir.lock().unwrap();
    let other = fs::File::options().write(true).open(directory.path().join(".pulse-trust.lock")).unwrap();
    assert!(matches!(other.try_lock(), Err(fs::TryLockError::WouldBlock)));
    drop(locked);
    other.try_lock().unwrap();
}

#[test]
fn organization_ids_stay_in_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    for org in ["", " ", ".", "..", "a/b", "a\\b", "../x", "a..b", "a\0b", &"a".repeat(256)] {
        assert!(matches!(data_dir.billing_state(org), Err(Error::OrgIdInvalid { .. })), "{org:?}");
    }
    assert!(data_dir.billing_state("acme").unwrap().value.is_none());
}

#[test]
fn damaged_secrets_in_billing_json_are_never_taken_for_plain_text() {
    let directory = copied(&vectors().join("billing/current"));
    let path = directory.path().join("billing.json");
    let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let sealed = value["entitlement_jwt"].as_str().unwrap();
    let damaged = if sealed.starts_with('A') { "B" } else { "A" }.to_owned() + &sealed[1..];
    value["entitlement_jwt"] = damaged.into();
    fs::write(&path, value.to_string()).unwrap();
    let before = files_of(directory.path());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    assert!(matches!(data_dir.billing_state("default"), Err(Error::UnsealFailed { .. })));
    assert!(files_of(directory.path()) == before);
    fs::remove_file(directory.path().join(".encryption.key")).unwrap();
    assert!(matches!(data_dir.billing_state("default"), Err(Error::KeyFileLost { .. })));
}
