//! No new master key over a lost one (formats.md#encrypted-files).

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::saving::Saving;
use crate::common::sealing::{seal, seal_text};
use crate::common::{cases, copied, files_of, vector_file, vectors};
use pulse_trust::relay::RelayConfig;
use pulse_trust::storage::{BillingState, DataDir};
use pulse_trust::{Error, Warning};

/// Saves into a directory that `prepare` has filled; the path that was found to be sealed, where no key was made.
fn found_sealed(prepare: impl FnOnce(&Path)) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    prepare(directory.path());
    let before = files_of(directory.path());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let outcome = data_dir.save_config(&RelayConfig::default());
    let Err(error) = outcome else {
        assert!(directory.path().join(".encryption.key").exists());
        return None;
    };
    let Error::KeyFileLost { path, sealed, .. } = error else { panic!("{error:?}") };
    assert_eq!(Path::new(&path), directory.path().join(".encryption.key"));
    assert!(files_of(directory.path()) == before, "a refused save changed something");
    let mut state = BillingState::default();
    state.entitlement_jwt = Some("a.b.c".into());
    let saved = data_dir.save_billing("other", &mut state);
    assert!(matches!(saved, Err(Error::KeyFileLost { .. } | Error::File { .. })), "{saved:?}");
    assert!(!directory.path().join(".encryption.key").exists());
    Some(Path::new(&sealed).strip_prefix(directory.path()).unwrap().to_str().unwrap().to_owned())
}

fn put(directory: &Path, path: &str, bytes: &[u8]) {
    let path = directory.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn no_key_is_made_while_something_sealed_is_there() {
    let sealed = seal([1; 32], b"{}");
    for path in [
        "relay.enc.bak",
        "nodes.enc",
        "nodes.enc.backup-20260101",
        "email.enc",
        "webhooks.enc.1",
        "sso.enc",
        "anything.enc",
    ] {
        assert_eq!(found_sealed(|directory| put(directory, path, &sealed)).as_deref(), Some(path));
        let plain = found_sealed(|directory| put(directory, path, b" {\"plain\":[true]}\n"));
        assert_eq!(plain, None, "{path}: plain JSON is not sealed");
        // Nobody can say what these hold.
        for other in [b"".as_slice(), b"{\"cut\":", &[0xFF; 5]] {
            assert_eq!(found_sealed(|directory| put(directory, path, other)).as_deref(), Some(path));
        }
    }
}

#[test]
fn what_another_key_has_sealed_or_nobody_does_not_count() {
    let sealed = seal([1; 32], b"{}");
    for path in [
        "license.enc",
        "license.enc.bak",
        "activation.enc",
        "activation.enc.old",
        "orgs/acme/license.enc",
        "notes.txt",
        "backup/nodes.enc",
        "orgs/acme/notes",
        // An organization's folder has a key of its own for all but its billing state.
        "orgs/acme/nodes.enc",
        "orgs/acme/relay.enc.bak",
        "orgs/a/b/c/x.enc",
        "orgs/a/b/billing.json",
        "orgs/nodes.enc",
    ] {
        assert_eq!(found_sealed(|directory| put(directory, path, &sealed)), None, "{path}");
    }
}

#[test]
fn billing_of_any_organization_counts_where_it_holds_sealed_fields() {
    let sealed = seal_text([1; 32], "a.b.c");
    for path in ["billing.json", "orgs/acme/billing.json"] {
        for name in ["entitlement_jwt", "entitlement_refresh_token"] {
            let file = format!(r#"{{"{name}":"{sealed}","plan_version":"cloud"}}"#);
            let found = found_sealed(|directory| put(directory, path, file.as_bytes()));
            assert_eq!(found.as_deref(), Some(path), "{name}");
            let plain = if name == "entitlement_jwt" { "eyJ.b.c" } else { "etr_hosted_00" };
            let file = format!(r#"{{"{name}":"{plain}"}}"#);
            assert_eq!(found_sealed(|directory| put(directory, path, file.as_bytes())), None, "{path} {name}");
            let damaged =
                [sealed.replacen('A', ".", 1), sealed[1..].to_owned(), sealed[..30].to_owned(), "a.b".to_owned()];
            for damaged in damaged {
                let file = format!(r#"{{"{name}":"{damaged}"}}"#);
                let found = found_sealed(|directory| put(directory, path, file.as_bytes()));
                assert_eq!(found.as_deref(), Some(path), "{name}: {damaged}");
            }
        }
        let signed = br#"{"plan_version":"cloud","integrity":"00"}"#;
        assert_eq!(
            found_sealed(|directory| put(directory, path, signed)).as_deref(),
            Some(path),
            "its code has the key"
        );
        for unreadable in ["[]", "[\"a.b.c\"]", "{\"entitlement_jwt\":", "\"text\"", "{\"entitlement_jwt\":1}"] {
            let found = found_sealed(|directory| put(directory, path, unreadable.as_bytes()));
            assert_eq!(found.as_deref(), Some(path), "{unreadable}");
        }
        assert_eq!(found_sealed(|directory| put(directory, path, b"")), None, "an empty file holds nothing");
    }
}

#[test]
fn what_cannot_be_looked_into_counts() {
    let link = |path: &'static str, target: &'static str| {
        move |directory: &Path| {
            put(directory, "orgs/elsewhere/plain.json", b"{}");
            symlink(target, directory.join(path)).unwrap();
        }
    };
    assert_eq!(found_sealed(link("nodes.enc", "orgs/elsewhere/plain.json")).as_deref(), Some("nodes.enc"));
    assert_eq!(found_sealed(link("nodes.enc", "nowhere")).as_deref(), Some("nodes.enc"));
    assert_eq!(found_sealed(link("orgs/acme", "elsewhere")).as_deref(), Some("orgs/acme"));
    assert_eq!(found_sealed(link("orgs/acme", "..")).as_deref(), Some("orgs/acme"));
    for target in ["elsewhere", "."] {
        let orgs = |directory: &Path| symlink(target, directory.join("orgs")).unwrap();
        assert_eq!(found_sealed(orgs).as_deref(), Some("orgs"), "nobody knows what is behind it");
    }
    let no_text = |directory: &Path| {
        let name = std::ffi::OsStr::from_bytes(b"orgs/\xff");
        fs::create_dir_all(directory.join(name)).unwrap();
    };
    assert_eq!(found_sealed(no_text).as_deref(), Some("orgs/\u{fffd}"));
    let directory = |directory: &Path| fs::create_dir(directory.join("nodes.enc")).unwrap();
    assert_eq!(found_sealed(directory).as_deref(), Some("nodes.enc"));
    let large = format!("[{}]", " ".repeat(16 * 1024 * 1024));
    let found = found_sealed(|directory| put(directory, "nodes.enc", large.as_bytes()));
    assert_eq!(found.as_deref(), Some("nodes.enc"));
}

#[test]
fn tenants_whose_key_is_lost_are_left_alone() {
    let file = vector_file("tenants.json");
    let mut lost = 0;
    for case in cases(&file, "cases") {
        let directory = copied(&vectors().join("tenants").join(case["name"].as_str().unwrap()).join("after"));
        let key_file = directory.path().join(".encryption.key");
        if !key_file.exists() || !directory.path().join("relay.enc").exists() {
            continue;
        }
        fs::remove_file(&key_file).unwrap();
        let before = files_of(directory.path());
        let saved = DataDir::new(directory.path()).lock().unwrap().save_config(&RelayConfig::default());
        assert!(matches!(saved, Err(Error::KeyFileLost { .. })), "{saved:?}");
        assert!(files_of(directory.path()) == before);
        lost += 1;
    }
    assert!(lost > 0);
}

#[test]
fn a_plain_config_is_read_and_stays_plain_while_the_key_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), "relay.enc", b"{\"enabled\":true}");
    put(directory.path(), "nodes.enc", &seal([1; 32], b"{}"));
    crate::common::set_mode(&directory.path().join("relay.enc"), 0o600);
    let before = files_of(directory.path());
    let loaded = DataDir::new(directory.path()).lock().unwrap().relay_config().unwrap();
    assert!(loaded.value.enabled);
    let is_reported = |warning: &Warning| matches!(warning, Warning::RewriteFailed { path, detail } if path.ends_with("relay.enc") && detail.contains("nodes.enc"));
    assert!(loaded.warnings.iter().any(is_reported), "{:?}", loaded.warnings);
    assert!(files_of(directory.path()) == before);
}

#[test]
fn a_key_file_that_holds_no_key_is_never_overwritten() {
    let key = "A".repeat(43) + "=";
    for content in ["", " \n", "short", "!!!!", &key[1..], &"A".repeat(48), &"A".repeat(2000), &key.replace('=', "")] {
        let directory = tempfile::tempdir().unwrap();
        put(directory.path(), ".encryption.key", content.as_bytes());
        put(directory.path(), "billing.json", b"{\"plan_version\":\"cloud\"}");
        let before = files_of(directory.path());
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        let saved = data_dir.save_config(&RelayConfig::default());
        let Err(Error::KeyFileUnreadable { path, .. }) = saved else { panic!("{content:?}: {saved:?}") };
        assert_eq!(Path::new(&path), directory.path().join(".encryption.key"));
        // A key that is there and cannot be read leaves the code unchecked: the state does not count.
        assert!(matches!(data_dir.billing_state("default"), Err(Error::KeyFileUnreadable { .. })));
        assert!(files_of(directory.path()) == before, "{content:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), ".encryption.key", format!(" {key}\r\n").as_bytes());
    DataDir::new(directory.path()).lock().unwrap().save_config(&RelayConfig::default()).unwrap();
}

#[test]
fn a_large_plain_file_is_looked_into_and_a_text_that_only_looks_like_a_token_counts() {
    let large = format!("[\"{}\"]", "x".repeat(2 << 20));
    assert_eq!(found_sealed(|directory| put(directory, "nodes.enc", large.as_bytes())), None);
    for (token, is_kept) in [("eyJx.b.c", false), ("eyJx.b", true), ("a.b.c", true), ("eyJx.b.c.d", true)] {
        let billing = format!(r#"{{"entitlement_jwt":"{token}"}}"#);
        let found = found_sealed(|directory| put(directory, "billing.json", billing.as_bytes()));
        assert_eq!(found.is_some(), is_kept, "{token}");
    }
}
