//! billing.json against the deployed ones: integrity codes of three ages, sealing, the normal form
//! (formats.md#billing-state).

use std::collections::BTreeMap;
use std::fs;

use crate::common::saving::Saving;
use crate::common::sealing::{SECRETS, file_with_plain_secrets, integrity, master_key, seal_text};
use crate::common::{copied, exposed, files_of, text, vectors};
use pulse_trust::storage::{BillingState, DataDir};
use pulse_trust::{Error, UnixTime, Warning};
use serde_json::json;

/// A directory with the key of a deployed one and this billing.json.
fn with_billing(json: &str) -> tempfile::TempDir {
    let directory = copied(&vectors().join("relay_enc/absent"));
    fs::write(directory.path().join("billing.json"), json).unwrap();
    crate::common::set_mode(&directory.path().join("billing.json"), 0o600);
    directory
}

fn load(directory: &tempfile::TempDir) -> Result<BillingState, Error> {
    let loaded = DataDir::new(directory.path()).lock().unwrap().billing_state("default")?;
    let is_expected = |warning: &Warning| matches!(warning, Warning::BillingUnsigned { .. });
    assert!(loaded.warnings.iter().all(is_expected), "{:?}", loaded.warnings);
    Ok(loaded.value.unwrap())
}

/// A state with every member, and the payload of its code as formats.md#billing-state spells it.
const WHOLE: &str = concat!(
    r#"{"capabilities":["sso","a<b"],"limits":{"z":2,"b":-1},"meters_enabled":["m"],"commercial_migration":"#,
    r#"{"first_failed_at":7,"reason":"r&r","note":"n","source":"s","state":"failed","recommended_action":"a"},"plan_version":"enterprise","#,
    r#""subscription_state":"active","trial_started_at":1,"quickstart_credits_granted":true,"#,
    r#""quickstart_credits_used":5,"integrity":"CODE","stripe_customer_id":"cus","future":{"a":1.0}}"#
);
const CURRENT: &str = concat!(
    r#"{"capabilities":["a\u003cb","sso"],"limits":{"b":-1,"z":2},"entitlement_jwt":"","entitlement_refresh_token":"","#,
    r#""commercial_migration":{"source":"s","state":"failed","reason":"r\u0026r","recommended_action":"a","first_failed_at":7},"plan_version":"enterprise","#,
    r#""subscription_state":"active","trial_started_at":1,"trial_ends_at":null,"trial_extended_at":null,"#,
    r#""overflow_granted_at":null,"quickstart_credits_granted":true,"quickstart_credits_used":5,"#,
    r#""quickstart_credits_granted_at":null}"#
);

fn signed(file: &str, payload: &str) -> tempfile::TempDir {
    let directory = with_billing("");
    let code = integrity(master_key(directory.path()), payload);
    fs::write(directory.path().join("billing.json"), file.replace("CODE", &code)).unwrap();
    directory
}

#[test]
fn a_code_covers_what_it_should_and_nothing_else() {
    let directory = signed(WHOLE, CURRENT);
    let before = files_of(directory.path());
    load(&directory).unwrap();
    assert!(files_of(directory.path()) == before, "a current file is not rewritten");
    for (from, to) in [
        ("\"sso\"", "\"rbac\""),
        ("\"z\":2", "\"z\":3"),
        ("\"limits\":{", "\"limits\":{\"c\":1,"),
        ("\"plan_version\"", "\"entitlement_jwt\":\"a.b.c\",\"plan_version\""),
        ("\"plan_version\"", "\"entitlement_refresh_token\":\"etr\",\"plan_version\""),
        ("\"source\":\"s\"", "\"source\":\"t\""),
        ("\"first_failed_at\":7", "\"first_failed_at\":8"),
        ("enterprise", "msp"),
        ("enterprise", " enterprise"),
        ("\"active\"", "\"trial\""),
        ("\"active\"", "\"Active\""),
        ("\"trial_started_at\":1", "\"trial_started_at\":2"),
        ("\"trial_started_at\":1", "\"trial_started_at\":null"),
        ("\"trial_started_at\"", "\"trial_ends_at\":1,\"trial_started_at\""),
        ("\"trial_started_at\"", "\"trial_extended_at\":1,\"trial_started_at\""),
        ("\"trial_started_at\"", "\"overflow_granted_at\":1,\"trial_started_at\""),
        ("\"trial_started_at\"", "\"quickstart_credits_granted_at\":1,\"trial_started_at\""),
        ("true", "false"),
        ("\"quickstart_credits_used\":5", "\"quickstart_credits_used\":4"),
    ] {
        let changed = WHOLE.replacen(from, to, 1);
        assert_ne!(changed, WHOLE);
        let directory = signed(&changed, CURRENT);
        let before = files_of(directory.path());
        assert!(matches!(load(&directory), Err(Error::BillingTampered { .. })), "{from} -> {to}");
        assert!(files_of(directory.path()) == before, "{from} -> {to}");
    }
    for (from, to) in [
        ("[\"m\"]", "[]"),
        ("\"cus\"", "\"other\""),
        ("\"future\"", "\"past\""),
        ("\"note\":\"n\"", "\"note\":\"m\""),
        ("[\"sso\",\"a<b\"]", "[\"a<b\",\"sso\"]"),
    ] {
        load(&signed(&WHOLE.replacen(from, to, 1), CURRENT)).unwrap();
    }
    for code in ["CODE\u{20}", "00", "CODE0"] {
        let error = load(&signed(&WHOLE.replace("CODE", code), CURRENT)).unwrap_err();
        assert!(matches!(error, Error::BillingTampered { .. }), "{code:?}");
    }
}

#[test]
fn an_older_code_clears_what_it_does_not_cover() {
    let middle = concat!(
        r#"{"capabilities":["a\u003cb","sso"],"limits":{"b":-1,"z":2},"plan_version":"enterprise","#,
        r#""subscription_state":"active","trial_started_at":1,"trial_ends_at":null,"trial_extended_at":null,"#,
        r#""overflow_granted_at":9}"#
    );
    let oldest = concat!(
        r#"{"capabilities":["a\u003cb","sso"],"plan_version":"enterprise","subscription_state":"active","#,
        r#""trial_started_at":1,"trial_ends_at":null,"trial_extended_at":null}"#
    );
    let file = WHOLE.replace(
        "\"plan_version\"",
        "\"overflow_granted_at\":9,\"entitlement_jwt\":\"a.b.c\",\"entitlement_refresh_token\":\"etr\",\"plan_version\"",
    );
    for (payload, overflow_granted_at) in [(middle, Some(UnixTime::from_secs(9))), (oldest, None)] {
        let directory = signed(&file, payload);
        let state = load(&directory).unwrap();
        assert_eq!(state.commercial_migration, None);
        assert!(!state.quickstart_credits_granted && state.quickstart_credits_used == 0);
        assert_eq!(state.overflow_granted_at, overflow_granted_at);
        assert_eq!(state.limits, BTreeMap::from([("b".to_owned(), -1), ("z".to_owned(), 2)]));
        assert_eq!((exposed(&state.entitlement_jwt), exposed(&state.entitlement_refresh_token)), ("a.b.c", "etr"));
        let on_disk = file_with_plain_secrets(directory.path(), "billing.json");
        assert_eq!((text(&on_disk, "entitlement_jwt"), text(&on_disk, "entitlement_refresh_token")), ("a.b.c", "etr"));
        assert_eq!(on_disk["future"], json!({"a": 1.0}));
        assert!(on_disk.get("commercial_migration").is_none() && on_disk.get("quickstart_credits_used").is_none());
    }
}

#[test]
fn members_we_do_not_know_survive_load_change_and_save() {
    let directory = signed(WHOLE, CURRENT);
    let mut state = load(&directory).unwrap();
    state.stripe_customer_id = Some(" cus_9 ".to_owned());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    data_dir.save_billing("default", &mut state).unwrap();
    let saved = fs::read_to_string(directory.path().join("billing.json")).unwrap();
    let migration = r#"{"source":"s","state":"failed","reason":"r\u0026r","recommended_action":"a","first_failed_at":7,"note":"n"}"#;
    assert!(saved.contains(migration), "{saved}");
    assert!(saved.ends_with("\"stripe_customer_id\":\"cus_9\",\"future\":{\"a\":1.0}}"), "{saved}");
    assert_eq!(state.integrity().unwrap(), integrity(master_key(directory.path()), CURRENT));
}

#[test]
fn a_write_has_the_normal_form() {
    let cases = [
        (r#"{"plan_version":" Cloud-V1 ","subscription_state":" ACTIVE "}"#, "cloud_starter", "active"),
        (r#"{"plan_version":" Own Plan ","subscription_state":"Odd"}"#, "Own Plan", "odd"),
    ];
    for (file, plan, state) in cases {
        let directory = with_billing(file);
        load(&directory).unwrap();
        let on_disk = file_with_plain_secrets(directory.path(), "billing.json");
        assert_eq!((text(&on_disk, "plan_version"), text(&on_disk, "subscription_state")), (plan, state));
        assert_eq!((&on_disk["capabilities"], &on_disk["limits"]), (&json!([]), &json!({})));
        assert_eq!(on_disk["meters_enabled"], json!([]));
    }
    let limits = r#"{"plan_version":"PRO","limits":{"max_agents":1,"max_nodes":2,"max_guests":3,"max_users":4}}"#;
    assert_eq!(load(&with_billing(limits)).unwrap().limits, BTreeMap::from([("max_users".to_owned(), 4)]));
    for ended in ["Expired", "suspended", "canceled"] {
        let file = format!(
            r#"{{"capabilities":["sso"],"limits":{{"a":1}},"meters_enabled":["m"],"plan_version":"msp_x","subscription_state":"{ended}"}}"#
        );
        let state = load(&with_billing(&file)).unwrap();
        assert!(state.capabilities.is_empty() && state.limits.is_empty() && state.meters_enabled.is_empty());
        assert_eq!(state.plan_version, "msp_x");
    }
}

#[test]
fn without_a_key_file_nothing_is_checked_or_rewritten_and_a_secret_makes_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("billing.json");
    let plain = r#"{"plan_version":"Cloud","entitlement_jwt":" eyJ.b.c "}"#;
    fs::write(&path, plain).unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let mut state = data_dir.billing_state("default").unwrap().value.unwrap();
    assert_eq!((exposed(&state.entitlement_jwt), state.plan_version.as_str()), ("eyJ.b.c", "Cloud"));
    assert_eq!(fs::read_to_string(&path).unwrap(), plain);

    data_dir.save_billing("default", &mut state).unwrap();
    let on_disk = file_with_plain_secrets(directory.path(), "billing.json");
    assert_eq!(text(&on_disk, "entitlement_jwt"), "eyJ.b.c");
    assert_eq!(Some(text(&on_disk, "integrity")), state.integrity());

    let other = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(other.path()).lock().unwrap();
    let mut state = BillingState::default();
    state.plan_version = "cloud".to_owned();
    data_dir.save_billing(" acme ", &mut state).unwrap();
    let files = files_of(other.path());
    assert_eq!(files.len(), 1, "no key is made for a state without secrets");
    assert!(!String::from_utf8_lossy(&files["orgs/acme/billing.json"]).contains("integrity"));
}

#[test]
fn a_secret_that_looks_sealed_and_does_not_open_is_never_plain_text() {
    let key = master_key(&vectors().join("relay_enc/absent"));
    let sealed = seal_text(key, "a.b.c");
    let flipped = if sealed.starts_with('A') { "B" } else { "A" }.to_owned() + &sealed[1..];
    for name in SECRETS {
        for damaged in [flipped.as_str(), &"A".repeat(40)] {
            let directory = with_billing(&json!({ name: damaged }).to_string());
            let before = files_of(directory.path());
            let Err(Error::UnsealFailed { what, .. }) = load(&directory) else { panic!("{name}") };
            assert!(what.contains(name) && !what.contains(damaged), "{what}");
            assert!(files_of(directory.path()) == before);
            fs::remove_file(directory.path().join(".encryption.key")).unwrap();
            assert!(matches!(load(&directory), Err(Error::KeyFileLost { .. })), "{name}");
        }
        // White space around a sealed text is trimmed; its code covers the plain one.
        let directory = with_billing("{}");
        let mut state: BillingState = load(&directory).unwrap();
        *if name == SECRETS[0] { &mut state.entitlement_jwt } else { &mut state.entitlement_refresh_token } =
            Some("a.b.c".into());
        DataDir::new(directory.path()).lock().unwrap().save_billing("default", &mut state).unwrap();
        let path = directory.path().join("billing.json");
        let text = fs::read_to_string(&path).unwrap();
        let spaced = text.replacen(&format!("\"{name}\":\""), &format!("\"{name}\":\" \\n"), 1);
        assert_ne!(spaced, text);
        fs::write(&path, spaced).unwrap();
        let state = load(&directory).unwrap();
        assert_eq!(
            format!("{}{}", exposed(&state.entitlement_jwt), exposed(&state.entitlement_refresh_token)),
            "a.b.c"
        );
    }
    // 27 bytes are too few for nonce and tag.
    assert_eq!(
        load(&with_billing(&json!({"entitlement_jwt": "A".repeat(36)}).to_string()))
            .unwrap()
            .entitlement_jwt
            .unwrap()
            .expose_secret()
            .len(),
        36
    );
}

#[test]
fn what_is_no_billing_state_is_refused_and_kept() {
    for file in [
        "",
        "null",
        "[]",
        "{",
        "{}{}",
        "{\"limits\":{\"a\":1.5}}",
        "{\"limits\":[]}",
        "{\"capabilities\":\"sso\"}",
        "{\"trial_ends_at\":\"1\"}",
        "{\"quickstart_credits_granted\":1}",
        "{\"entitlement_jwt\":{}}",
        "{\"plan_version\":\"a\",\"plan_version\":\"a\"}",
        "{\"commercial_migration\":{\"state\":\"a\",\"state\":\"b\"}}",
        "{\"future\":1,\"future\":1}",
    ] {
        let directory = with_billing(file);
        let before = files_of(directory.path());
        let error = load(&directory).unwrap_err();
        assert!(matches!(error, Error::FileMalformed { .. }), "{file}: {error:?}");
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        assert_eq!(data_dir.save_billing("default", &mut BillingState::default()), Err(error), "{file}");
        assert!(files_of(directory.path()) == before, "{file}");
    }
}

#[test]
fn organization_ids_stay_in_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    for org in ["", " ", ".", "..", "a/b", "a\\b", "../x", "a:b", "a\0b", &"a".repeat(65)] {
        assert!(matches!(data_dir.billing_state(org), Err(Error::OrgIdInvalid { .. })), "{org:?}");
        let saved = data_dir.save_billing(org, &mut BillingState::default());
        assert!(matches!(saved, Err(Error::OrgIdInvalid { .. })), "{org:?}");
    }
    assert!(data_dir.billing_state("acme").unwrap().value.is_none());
    assert!(files_of(directory.path()).is_empty());
}

#[test]
fn debug_shows_no_secret() {
    let state = load(&with_billing(
        r#"{"entitlement_jwt":"hunter2","entitlement_refresh_token":"hunter2","future":"hunter2","stripe_customer_id":"hunter2"}"#,
    ));
    let shown = format!("{:?}", state.unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}
