//! A data directory is opened once: its lock, its owner, what a save may overwrite, and where its key may come from
//! (formats.md#encrypted-files).

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::Duration;

use crate::common::saving::Saving;
use crate::common::sealing::{master_key, seal, unseal};
use crate::common::{copied, files_of, set_mode, vectors};
use pulse_trust::relay::{Identity, RelayConfig};
use pulse_trust::storage::{BillingState, DataDir, IdentityChange, Revision};
use pulse_trust::{Error, Secret};

const LOCK: &str = ".pulse-trust.lock";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn owner(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().uid()
}

fn is_root() -> bool {
    owner(tempfile::tempdir().unwrap().path()) == 0
}

fn with_identity() -> RelayConfig {
    let mut config = RelayConfig::default();
    config.set_identity(&Identity::generate().unwrap());
    config
}

#[test]
fn what_is_locked_is_the_directory_that_was_opened() {
    let parent = tempfile::tempdir().unwrap();
    let (ours, other, path) = (parent.path().join("a"), parent.path().join("b"), parent.path().join("data"));
    for directory in [&ours, &other] {
        DataDir::create(directory).unwrap().lock().unwrap().save_config(&RelayConfig::default()).unwrap();
    }
    symlink(&ours, &path).unwrap();
    let locked = DataDir::new(&path).lock().unwrap();
    let before = files_of(&other);
    fs::remove_file(&path).unwrap();
    symlink(&other, &path).unwrap();

    let saved = with_identity();
    locked.save_config(&saved).unwrap();
    locked.save_billing("acme", &mut BillingState::default()).unwrap();
    assert!(files_of(&other) == before, "a file sealed under another directory's key");
    let sealed = fs::read(ours.join("relay.enc")).unwrap();
    assert!(unseal(master_key(&ours), &sealed).contains(saved.identity_fingerprint.as_ref().unwrap()));
    assert!(ours.join("orgs/acme/billing.json").exists());
}

#[test]
fn no_directory_below_is_a_link() {
    for (link, name) in [("orgs", "acme"), ("orgs/acme", "")] {
        let directory = copied(&vectors().join("relay_enc/whole"));
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(outside.path().join("acme")).unwrap();
        fs::write(outside.path().join("acme/billing.json"), "{}").unwrap();
        fs::write(outside.path().join("billing.json"), "{}").unwrap();
        if name.is_empty() {
            fs::create_dir(directory.path().join("orgs")).unwrap();
        }
        symlink(outside.path(), directory.path().join(link)).unwrap();
        let before = files_of(outside.path());
        let locked = DataDir::new(directory.path()).lock().unwrap();
        let error = locked.billing_state("acme").unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{link}: {error}");
        let saved = locked.save_billing_state("acme", &mut BillingState::default(), &Revision::ABSENT);
        assert!(matches!(saved, Err(Error::File { .. })), "{link}: {saved:?}");
        assert!(files_of(outside.path()) == before, "{link} was written through");
    }
}

#[test]
fn a_lock_file_with_another_name_is_refused_and_keeps_its_owner() {
    let directory = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "secret").unwrap();
    set_mode(&victim, 0o644);
    let before = (owner(&victim), mode(&victim));
    if is_root() {
        chown(directory.path(), Some(12345), None).unwrap();
    }
    fs::hard_link(&victim, directory.path().join(LOCK)).unwrap();
    let error = DataDir::new(directory.path()).lock().unwrap_err();
    assert!(error.to_string().contains("hard link"), "{error}");
    assert_eq!((owner(&victim), mode(&victim)), before);
    fs::remove_file(directory.path().join(LOCK)).unwrap();
    DataDir::new(directory.path()).lock().unwrap();
}

#[test]
fn modes_are_as_said_whatever_the_umask_and_the_lock_is_narrowed() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/b");
    let locked = DataDir::create(&path).unwrap().lock().unwrap();
    locked.save_config(&RelayConfig::default()).unwrap();
    drop(locked);
    for (name, expected) in [("", 0o700), (LOCK, 0o600), (".encryption.key", 0o600), ("relay.enc", 0o600)] {
        assert_eq!(mode(&path.join(name)), expected, "{name}");
    }
    assert_eq!(mode(&parent.path().join("a")), 0o700);
    set_mode(&path.join(LOCK), 0o666);
    let _locked = DataDir::new(&path).lock().unwrap();
    assert_eq!(mode(&path.join(LOCK)), 0o600, "anybody could lock it");
}

#[test]
#[ignore = "only root can give files away: .ci/checks/tests runs it as root"]
fn what_root_makes_for_a_tenant_is_the_tenants() {
    let parent = tempfile::tempdir().unwrap();
    chown(parent.path(), Some(12345), Some(12345)).unwrap();
    let path = parent.path().join("data");
    let locked = DataDir::create(&path).unwrap().lock().unwrap();
    locked.save_config(&RelayConfig::default()).unwrap();
    locked.save_billing("acme", &mut BillingState::default()).unwrap();
    for name in ["", LOCK, ".encryption.key", "relay.enc", "orgs", "orgs/acme", "orgs/acme/billing.json"] {
        assert_eq!(owner(&path.join(name)), 12345, "{name}");
    }
}

#[test]
fn a_lock_file_that_is_deleted_while_it_is_held_lets_nobody_in_beside_its_successor() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path());
    let first = data_dir.lock().unwrap();
    // Somebody waits for the old lock file, which is then deleted and made new by a third.
    let waiting = {
        let data_dir = data_dir.clone();
        std::thread::spawn(move || data_dir.lock().map(|locked| (locked, std::time::Instant::now())).unwrap())
    };
    std::thread::sleep(Duration::from_millis(60));
    fs::remove_file(directory.path().join(LOCK)).unwrap();
    drop(first);
    let (locked, _) = waiting.join().unwrap();
    let inode = fs::metadata(directory.path().join(LOCK)).unwrap().ino();
    let third = data_dir.lock_within(Duration::from_millis(50));
    assert!(matches!(third, Err(Error::LockTimeout { .. })), "two hold the lock: {third:?}");
    assert_eq!(fs::metadata(directory.path().join(LOCK)).unwrap().ino(), inode);
    drop(locked);
}

#[test]
fn a_lock_file_that_is_deleted_while_it_is_held_lets_nobody_in_beside_the_holder() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path());
    let holder = data_dir.lock().unwrap();
    fs::remove_file(directory.path().join(LOCK)).unwrap();
    let second = data_dir.lock_within(Duration::from_millis(50));
    assert!(matches!(second, Err(Error::LockTimeout { .. })), "two hold the lock: {second:?}");
    let error = holder.save_config(&with_identity()).unwrap_err().to_string();
    assert!(error.contains("lock file was removed"), "{error}");
    drop(holder);
    data_dir.lock_within(Duration::ZERO).unwrap();
}

#[test]
fn who_waits_too_long_is_told_what_to_look_at() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path());
    let _held = data_dir.lock().unwrap();
    let error = data_dir.lock_within(Duration::from_millis(30)).unwrap_err();
    let path = directory.path().join(LOCK).display().to_string();
    assert_error!(error, LockTimeout { path: path.clone(), waited_ms: 30 });
    assert!(error.to_string().contains(&format!("fuser {path}")) && error.to_string().contains("lslocks"), "{error}");
    assert!(matches!(data_dir.lock_within(Duration::ZERO), Err(Error::LockTimeout { .. })));
}

#[test]
fn temporary_files_of_a_killed_process_are_swept() {
    let directory = copied(&vectors().join("relay_enc/whole"));
    let left = format!(".pulse-trust-{}.tmp", "0".repeat(32));
    fs::create_dir_all(directory.path().join("orgs/acme")).unwrap();
    for name in [left.clone(), format!("orgs/acme/{left}")] {
        fs::write(directory.path().join(name), "half").unwrap();
    }
    fs::write(directory.path().join(".pulse-trust-notes"), "kept").unwrap();
    let locked = DataDir::new(directory.path()).lock().unwrap();
    assert!(!directory.path().join(&left).exists(), "under the lock nobody else is writing it");
    locked.save_billing("acme", &mut BillingState::default()).unwrap();
    let names: Vec<_> = files_of(directory.path()).into_keys().collect();
    assert_eq!(names, [".encryption.key", ".pulse-trust-notes", "orgs/acme/billing.json", "relay.enc"]);
}

#[test]
fn a_save_is_over_the_state_that_was_seen() {
    let directory = copied(&vectors().join("relay_enc/whole"));
    let data_dir = DataDir::new(directory.path());
    let seen = data_dir.lock().unwrap().relay_config().unwrap();
    // A bootstrap comes in between.
    let between = with_identity();
    data_dir.lock().unwrap().save_config(&between).unwrap();

    let locked = data_dir.lock().unwrap();
    let before = files_of(directory.path());
    let late = locked.save_relay_config(&seen.value, &seen.revision, IdentityChange::Replace);
    assert!(matches!(late, Err(Error::RevisionMismatch { .. })), "{late:?}");
    let absent = locked.save_relay_config(&seen.value, &Revision::ABSENT, IdentityChange::Replace);
    assert!(matches!(absent, Err(Error::RevisionMismatch { .. })), "{absent:?}");
    assert!(files_of(directory.path()) == before);
    let now = locked.relay_config().unwrap();
    assert_eq!(now.value.identity_fingerprint, between.identity_fingerprint);
    let saved = locked.save_relay_config(&now.value, &now.revision, IdentityChange::Keep).unwrap();
    assert_ne!(saved.revision, now.revision);
    assert_eq!(saved.revision, locked.relay_config().unwrap().revision);
    assert_eq!(saved.revision.to_string().parse::<Revision>().unwrap(), saved.revision);
    assert_eq!("absent".parse::<Revision>().unwrap(), Revision::ABSENT);
    for invalid in ["", "Absent", "0", &"0".repeat(31), &"A".repeat(32), &"0".repeat(33)] {
        assert!(matches!(invalid.parse::<Revision>(), Err(Error::RevisionInvalid { .. })), "{invalid}");
    }

    let billing = locked.billing_state("default").unwrap();
    assert_eq!(billing.revision, Revision::ABSENT);
    let mut state = BillingState::default();
    let first = locked.save_billing_state("default", &mut state, &billing.revision).unwrap();
    let again = locked.save_billing_state("default", &mut state, &billing.revision);
    assert!(matches!(again, Err(Error::RevisionMismatch { .. })), "{again:?}");
    locked.save_billing_state("default", &mut state, &first.revision).unwrap();
}

#[test]
fn no_save_drops_an_identity_unless_it_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let ours = with_identity();
    let revision = locked.save_relay_config(&ours, &Revision::ABSENT, IdentityChange::Keep).unwrap().revision;
    let before = files_of(directory.path());
    for other in [RelayConfig::default(), with_identity()] {
        let error = locked.save_relay_config(&other, &revision, IdentityChange::Keep).unwrap_err();
        let Error::IdentityKept { fingerprint, .. } = error else { panic!("{error:?}") };
        assert_eq!(Some(fingerprint), ours.identity_fingerprint);
    }
    assert!(files_of(directory.path()) == before);
    locked.save_relay_config(&RelayConfig::default(), &revision, IdentityChange::Replace).unwrap();
    assert!(locked.relay_config().unwrap().value.lacks_identity());
}

#[test]
fn what_no_reader_takes_is_not_written() {
    let directory = copied(&vectors().join("relay_enc/whole"));
    let before = files_of(directory.path());
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let mut config = locked.relay_config().unwrap().value;
    config.server_url = "x".repeat(256 * 1024);
    assert!(matches!(locked.save_config(&config), Err(Error::FileTooLarge { .. })));
    let mut state = BillingState::default();
    state.stripe_customer_id = Some("x".repeat(256 * 1024));
    assert!(matches!(locked.save_billing("default", &mut state), Err(Error::FileTooLarge { .. })));
    assert!(files_of(directory.path()) == before);
}

#[test]
fn an_organization_id_is_one_plain_name() {
    let directory = tempfile::tempdir().unwrap();
    let locked = DataDir::new(directory.path()).lock().unwrap();
    for refused in ["", ".", "..", "a:b", "a/b", "a b", "a\\b", "ä", "a\0", &"a".repeat(65), "c:"] {
        let error = locked.billing_state(refused).unwrap_err();
        assert!(matches!(error, Error::OrgIdInvalid { .. }), "{refused:?}: {error:?}");
    }
    for taken in ["a", "...", "a..b", "A-Z_0.9", &"a".repeat(64)] {
        assert!(locked.billing_state(taken).unwrap().value.is_none(), "{taken}");
    }
}

#[test]
fn a_legacy_key_is_copied_and_kept() {
    let legacy = copied(&vectors().join("relay_enc/whole"));
    let legacy_key = legacy.path().join(".encryption.key");
    let original = fs::read(&legacy_key).unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs::copy(legacy.path().join("relay.enc"), directory.path().join("relay.enc")).unwrap();

    let without = DataDir::new(directory.path()).lock().unwrap().relay_config();
    assert!(matches!(without, Err(Error::KeyFileLost { .. })), "{without:?}");
    let data_dir = DataDir::new(directory.path()).with_legacy_key(Some(legacy_key.clone()));
    // Who only reads uses it where it is, under the lock too.
    assert!(data_dir.open_read_only().unwrap().relay_config().unwrap().value.enabled);
    assert!(data_dir.lock().unwrap().reader().relay_config().unwrap().value.enabled);
    assert_eq!(files_of(directory.path()).into_keys().collect::<Vec<_>>(), ["relay.enc"]);
    assert!(data_dir.lock().unwrap().relay_config().unwrap().value.enabled);
    assert_eq!(master_key(directory.path()), master_key(legacy.path()));
    assert_eq!(mode(&directory.path().join(".encryption.key")), 0o600);
    assert_eq!(fs::read(&legacy_key).unwrap(), original);

    // One that is there and holds no key is not passed over for a new one.
    let fresh = tempfile::tempdir().unwrap();
    let damaged = fresh.path().join("legacy");
    fs::write(&damaged, "no key").unwrap();
    let data_dir = DataDir::new(fresh.path()).with_legacy_key(Some(damaged));
    let saved = data_dir.lock().unwrap().save_config(&RelayConfig::default());
    assert!(matches!(saved, Err(Error::KeyFileUnreadable { .. })), "{saved:?}");
    assert!(!fresh.path().join(".encryption.key").exists());
}

#[test]
fn a_signed_state_is_not_replaced_by_an_unsigned_one() {
    let directory = copied(&vectors().join("billing/no-lease"));
    fs::remove_file(directory.path().join(".encryption.key")).unwrap();
    let before = files_of(directory.path());
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let saved = locked.save_billing("default", &mut BillingState::default());
    assert!(matches!(saved, Err(Error::KeyFileLost { .. })), "{saved:?}");
    assert!(files_of(directory.path()) == before);
}

#[test]
fn a_code_under_a_changed_name_is_not_passed_over() {
    let directory = copied(&vectors().join("billing/current"));
    let path = directory.path().join("billing.json");
    let changed = fs::read_to_string(&path).unwrap().replacen("\"integrity\"", "\"integritx\"", 1);
    fs::write(&path, changed.replacen("cloud_starter", "msp_starter", 1)).unwrap();
    let before = files_of(directory.path());
    let locked = DataDir::new(directory.path()).lock().unwrap();
    assert!(matches!(locked.billing_state("default"), Err(Error::BillingUnsigned { .. })));
    let saved = locked.save_billing("default", &mut BillingState::default());
    assert!(matches!(saved, Err(Error::BillingUnsigned { .. })), "{saved:?}");
    assert!(files_of(directory.path()) == before);
}

#[test]
fn a_failure_to_read_the_key_is_not_a_key_file_without_a_key() {
    // The limit of open files is the whole process's: a child tries.
    const CHILD: &str = "PULSE_TRUST_TEST_FILES";
    if let Some(directory) = std::env::var_os(CHILD) {
        let locked = DataDir::new(directory).lock().unwrap();
        let (soft, hard) = rlimit::getrlimit(rlimit::Resource::NOFILE).unwrap();
        rlimit::setrlimit(rlimit::Resource::NOFILE, 3, hard).unwrap();
        for error in [locked.relay_config().unwrap_err(), locked.billing_state("default").unwrap_err()] {
            assert!(matches!(error, Error::File { .. }), "{error:?}");
        }
        // A sanitizer that looks for leaks when the process ends opens files too.
        rlimit::setrlimit(rlimit::Resource::NOFILE, soft, hard).unwrap();
        return;
    }
    let directory = copied(&vectors().join("billing/current"));
    fs::write(directory.path().join("relay.enc"), seal(master_key(directory.path()), b"{}")).unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "data_dir::a_failure_to_read_the_key_is_not_a_key_file_without_a_key", "--nocapture"])
        .env(CHILD, directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "only root can make a file of somebody else: .ci/checks/tests runs it as root"]
fn a_file_of_another_owner_can_be_replaced() {
    const CHILD: &str = "PULSE_TRUST_TEST_OWNER";
    const NOBODY: u32 = 65534;
    if let Some(directory) = std::env::var_os(CHILD) {
        DataDir::new(directory).lock().unwrap().save_billing("default", &mut BillingState::default()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let path = directory.path().join("billing.json");
    fs::write(&path, "{}").unwrap();
    set_mode(&path, 0o644);
    let program = tempfile::tempdir().unwrap();
    set_mode(program.path(), 0o755);
    let copy = program.path().join("test");
    let copied = std::process::Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&copy).status().unwrap();
    assert!(copied.success());
    use std::os::unix::process::CommandExt;
    let output = std::process::Command::new(&copy)
        .args(["--exact", "data_dir::a_file_of_another_owner_can_be_replaced", "--nocapture", "--ignored"])
        .env(CHILD, directory.path())
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((owner(&path), mode(&path)), (NOBODY, 0o600));
}

#[test]
fn nothing_is_put_in_place_after_the_lock_file_was_removed_or_replaced() {
    let (directory, config) = (tempfile::tempdir().unwrap(), with_identity());
    let lock_file = directory.path().join(LOCK);
    let locked = DataDir::new(directory.path()).lock().unwrap();
    locked.save_config(&config).unwrap();
    let before = files_of(directory.path());
    fs::remove_file(&lock_file).unwrap();
    for _ in 0..2 {
        let refused = locked.save_billing("default", &mut BillingState::default()).unwrap_err();
        assert!(refused.to_string().contains("removed or replaced while it was held"), "{refused}");
        fs::write(&lock_file, "").unwrap();
    }
    fs::remove_file(&lock_file).unwrap();
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!((files_of(directory.path()) == before, left.len()), (true, before.len()), "{left:?}");
}

/// A child that outlives the lock would keep the directory and its files open.
#[test]
fn a_program_that_is_started_meanwhile_gets_no_file_of_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let _locked = DataDir::new(directory.path()).lock().unwrap();
    let output = std::process::Command::new("ls").args(["-l", "/proc/self/fd"]).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.contains("/proc/") && !listed.contains(directory.path().to_str().unwrap()), "{listed}");
}

#[test]
fn a_file_may_be_as_large_as_its_reader_takes() {
    const LIMIT: usize = 256 * 1024;
    let directory = tempfile::tempdir().unwrap();
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let mut config = with_identity();
    config.server_url = String::new();
    let sealed = |config: &RelayConfig| config.secret_json().expose_secret().len() + 28;
    config.server_url = "x".repeat(LIMIT - sealed(&config));
    assert_eq!(sealed(&config), LIMIT);
    locked.save_config(&config).unwrap();
    assert_eq!(fs::read(directory.path().join("relay.enc")).unwrap().len(), LIMIT);
    assert_eq!(locked.relay_config().unwrap().value.server_url, config.server_url);
    config.server_url.push('x');
    assert!(matches!(locked.save_config(&config), Err(Error::FileTooLarge { .. })));
    let mut state = BillingState::default();
    state.stripe_customer_id = Some("x".repeat(100_000));
    locked.save_billing("default", &mut state).unwrap();
    let read = locked.billing_state("default").unwrap().value.unwrap();
    assert_eq!(read.stripe_customer_id, state.stripe_customer_id);
}

#[test]
fn a_config_with_one_part_of_another_identity_is_another_identity() {
    let directory = tempfile::tempdir().unwrap();
    let locked = DataDir::new(directory.path()).lock().unwrap();
    let (ours, other) = (with_identity(), with_identity());
    locked.save_config(&ours).unwrap();
    let saved = || locked.relay_config().unwrap();
    let parts: [fn(&mut RelayConfig, &RelayConfig); 3] = [
        |config, other| config.identity_private_key = other.identity_private_key.as_ref().map(Secret::duplicate),
        |config, other| config.identity_public_key.clone_from(&other.identity_public_key),
        |config, other| config.identity_fingerprint.clone_from(&other.identity_fingerprint),
    ];
    for change in parts {
        let mut loaded = saved();
        change(&mut loaded.value, &other);
        assert!(locked.save_relay_config(&loaded.value, &loaded.revision, Default::default()).is_err());
    }
    assert_eq!(saved().value.identity_fingerprint, ours.identity_fingerprint);
}
