//! Files in a data directory: regular, bounded, replaced whole, locked, and left to their owner.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::saving::Saving;
use crate::common::{copied, files_of, set_mode, vectors};
use pulse_trust::relay::RelayConfig;
use pulse_trust::storage::{BillingState, DataDir, LockedDataDir};
use pulse_trust::{Error, Result, Warning};

/// Names the directory for a child: the same test, run again in a process of its own.
const CHILD: &str = "PULSE_TRUST_TEST_CHILD";
const NOBODY: u32 = 65534;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn owner(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().uid()
}

fn is_root() -> bool {
    owner(tempfile::tempdir().unwrap().path()) == 0
}

/// What is read of a directory, by file: each entry loads that file alone.
type Load = fn(&LockedDataDir) -> Result<()>;
const LOADS: [(&str, Load); 5] = [
    ("relay.enc", |data_dir| data_dir.relay_config().map(|_| ())),
    ("billing.json", |data_dir| data_dir.billing_state("default").map(|_| ())),
    ("activation.enc", |data_dir| data_dir.activation().map(|_| ())),
    ("license.enc", |data_dir| data_dir.license().map(|_| ())),
    (".encryption.key", |data_dir| data_dir.relay_config().map(|_| ())),
];

#[test]
fn only_regular_files_are_read_and_replaced() {
    type Make = fn(&Path);
    let irregular: [(&str, Make); 6] = [
        ("link", |path| symlink("elsewhere", path).unwrap()),
        ("link to nothing", |path| symlink("nowhere", path).unwrap()),
        ("directory", |path| fs::create_dir(path).unwrap()),
        ("FIFO", |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success())),
        ("socket", |path| drop(UnixListener::bind(path).unwrap())),
        ("device", |path| symlink("/dev/zero", path).unwrap()),
    ];
    for (name, load) in LOADS {
        for (kind, make) in irregular {
            let directory = copied(&vectors().join("relay_enc/whole"));
            fs::write(directory.path().join("elsewhere"), "{}").unwrap();
            let path = directory.path().join(name);
            if path.exists() {
                fs::remove_file(&path).unwrap();
            }
            make(&path);
            let data_dir = DataDir::new(directory.path()).lock().unwrap();
            let error = load(&data_dir).unwrap_err();
            let is_key = name == ".encryption.key";
            assert_eq!(matches!(error, Error::FileNotRegular { .. }), !is_key, "{name}, {kind}: {error:?}");
            assert_eq!(matches!(error, Error::KeyFileUnreadable { .. }), is_key, "{name}, {kind}: {error:?}");
            assert!(error.to_string().contains("is not a regular file"), "{name}, {kind}: {error}");
            if name == "relay.enc" || is_key {
                assert_eq!(data_dir.save_config(&RelayConfig::default()), Err(error), "{name}, {kind}");
            } else if name == "billing.json" {
                let saved = data_dir.save_billing("default", &mut BillingState::default());
                assert_eq!(saved, Err(error), "{name}, {kind}");
            }
            assert!(!fs::symlink_metadata(&path).unwrap().is_file(), "{name}, {kind}: replaced");
            assert_eq!(fs::read_to_string(directory.path().join("elsewhere")).unwrap(), "{}", "{name}, {kind}");
        }
    }
}

#[test]
fn the_lock_file_is_regular_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".pulse-trust.lock");
    symlink(directory.path().join("victim"), &path).unwrap();
    assert!(matches!(DataDir::new(directory.path()).lock(), Err(Error::FileNotRegular { .. })));
    assert!(!directory.path().join("victim").exists());
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(matches!(DataDir::new(directory.path()).lock(), Err(Error::FileNotRegular { .. })));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(DataDir::new(directory.path()).lock(), Err(Error::FileNotRegular { .. })));
}

#[test]
fn files_are_bounded_before_they_are_read() {
    for (name, load) in LOADS {
        let directory = copied(&vectors().join("relay_enc/whole"));
        let path = directory.path().join(name);
        // A hole: it takes no space on the disk, and would take this much memory.
        fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = load(&DataDir::new(directory.path()).lock().unwrap()).unwrap_err();
        assert!(error.to_string().contains("is 1099511627776 bytes long, at most"), "{name}: {error}");
        assert_eq!(fs::metadata(&path).unwrap().len(), 1 << 40);
    }
}

#[test]
fn written_files_have_mode_0600_and_leave_nothing_beside_them() {
    let parent = tempfile::tempdir().unwrap();
    let data_dir = DataDir::create(parent.path().join("data")).unwrap();
    assert_eq!(mode(data_dir.path()), 0o700);
    let locked = data_dir.lock().unwrap();
    assert_eq!(locked.save_config(&RelayConfig::default()), Ok(Vec::new()));
    let mut state = BillingState::default();
    state.entitlement_jwt = Some("a.b.c".into());
    assert_eq!(locked.save_billing("acme", &mut state), Ok(Vec::new()));
    let names: Vec<_> = files_of(data_dir.path()).into_keys().collect();
    assert_eq!(names, [".encryption.key", "orgs/acme/billing.json", "relay.enc"]);
    for name in names.iter().map(String::as_str).chain([".pulse-trust.lock"]) {
        assert_eq!(mode(&data_dir.path().join(name)), 0o600, "{name}");
    }
    for name in ["orgs", "orgs/acme"] {
        assert_eq!(mode(&data_dir.path().join(name)), 0o700, "{name}");
    }
}

#[test]
fn wide_modes_are_warnings_and_a_write_narrows_them() {
    let directory = copied(&vectors().join("relay_enc/whole"));
    let path = directory.path().join("relay.enc");
    let locked = DataDir::new(directory.path()).lock().unwrap();
    for wide in [0o601, 0o604, 0o620, 0o640, 0o644, 0o666, 0o700, 0o4600] {
        set_mode(&path, wide);
        let warnings = locked.relay_config().unwrap().warnings;
        let expected = Warning::WideMode { path: path.display().to_string(), mode: wide };
        assert_eq!(warnings, [expected]);
    }
    for narrow in [0o600, 0o400] {
        set_mode(&path, narrow);
        assert_eq!(locked.relay_config().unwrap().warnings, []);
    }
    set_mode(&path, 0o644);
    assert_eq!(locked.save_config(&RelayConfig::default()), Ok(Vec::new()));
    assert_eq!(mode(&path), 0o600);

    set_mode(directory.path(), 0o750);
    let warnings = locked.save_config(&RelayConfig::default()).unwrap();
    let expected = Warning::WideDirectoryMode { path: directory.path().display().to_string(), mode: 0o750 };
    assert_eq!(warnings, [expected]);
}

#[test]
fn files_keep_the_owner_of_what_they_replace_or_the_directorys() {
    let directory = copied(&vectors().join("relay_enc/whole"));
    // Who is not root can give nothing away: then every file is ours, and must stay so.
    let (directory_owner, file_owner) = if is_root() { (12345, 12346) } else { (owner(directory.path()), 0) };
    if is_root() {
        chown(directory.path(), Some(directory_owner), None).unwrap();
        chown(directory.path().join("relay.enc"), Some(file_owner), Some(file_owner)).unwrap();
    }
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    data_dir.save_config(&RelayConfig::default()).unwrap();
    data_dir.save_billing("default", &mut BillingState::default()).unwrap();
    let expected = if is_root() { file_owner } else { directory_owner };
    assert_eq!(owner(&directory.path().join("relay.enc")), expected);
    for made in ["billing.json", ".pulse-trust.lock"] {
        assert_eq!(owner(&directory.path().join(made)), directory_owner, "{made}");
        assert_eq!(mode(&directory.path().join(made)), 0o600, "{made}");
    }
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

/// Four processes count in the same file, which none of them finds there at first.
#[test]
fn no_change_is_lost_between_processes() {
    const ROUNDS: usize = 20;
    if let Some(directory) = std::env::var_os(CHILD) {
        for _ in 0..ROUNDS {
            let locked = DataDir::new(&directory).lock().unwrap();
            let mut config = locked.relay_config().unwrap().value;
            let count = config.instance_secret.expose_secret().parse().unwrap_or(0_usize);
            config.instance_secret = (count.checked_add(1).unwrap()).to_string().into();
            locked.save_config(&config).unwrap();
        }
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| child("no_change_is_lost_between_processes", directory.path()).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let config = DataDir::new(directory.path()).lock().unwrap().relay_config().unwrap().value;
    assert_eq!(config.instance_secret.expose_secret(), (4_usize.checked_mul(ROUNDS).unwrap()).to_string());
    assert_eq!(files_of(directory.path()).into_keys().collect::<Vec<_>>(), [".encryption.key", "relay.enc"]);
}

/// Files that would be brought up to date when they are loaded: a plain config and an unsigned state.
fn outdated() -> tempfile::TempDir {
    let directory = copied(&vectors().join("billing/secrets-in-plain"));
    fs::write(directory.path().join("relay.enc"), "{\"enabled\":true}").unwrap();
    set_mode(&directory.path().join("relay.enc"), 0o600);
    directory
}

/// What a directory gives that cannot be written to: everything that was read counts, nothing is saved.
fn check_unwritable(directory: &Path, reason: &str) {
    let locked = DataDir::new(directory).lock().unwrap();
    let config = locked.relay_config().unwrap();
    assert!(config.value.enabled);
    let billing = locked.billing_state("default").unwrap();
    let mut state = billing.value.unwrap();
    assert!(state.entitlement_jwt.is_some());
    let on_disk: serde_json::Value =
        serde_json::from_slice(&fs::read(directory.join("billing.json")).unwrap()).unwrap();
    assert_eq!(state.integrity().unwrap(), on_disk["integrity"], "the code that is in the file");
    for warnings in [config.warnings, billing.warnings] {
        let [Warning::RewriteFailed { detail, .. }] = warnings.as_slice() else { panic!("{warnings:?}") };
        assert!(detail.contains(reason), "{detail}");
    }
    assert!(matches!(locked.save_config(&config.value), Err(Error::File { .. })));
    assert!(matches!(locked.save_billing("default", &mut state), Err(Error::File { .. })));
    assert!(matches!(locked.save_billing("new", &mut state), Err(Error::File { .. })));
}

#[test]
fn a_read_only_directory_is_read() {
    const REASON: &str = "it can only be read: its lock file cannot be created or opened: ";
    if let Some(directory) = std::env::var_os(CHILD) {
        return check_unwritable(Path::new(&directory), REASON);
    }
    let directory = outdated();
    let before = files_of(directory.path());
    if is_root() {
        for path in [".", ".encryption.key", "billing.json", "relay.enc"] {
            chown(directory.path().join(path), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    set_mode(directory.path(), 0o500);
    if is_root() {
        // Root may write everywhere; and who is not root may not be let into the folder of this program. It is copied
        // by a process of its own: one of ours that is open for writing could not be run.
        let program = tempfile::tempdir().unwrap();
        set_mode(program.path(), 0o755);
        let copy = program.path().join("test");
        assert!(Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&copy).status().unwrap().success());
        set_mode(&copy, 0o755);
        let mut child = child_of(&copy, "a_read_only_directory_is_read", directory.path());
        assert_succeeds(child.uid(NOBODY).gid(NOBODY).current_dir("/"));
    } else {
        check_unwritable(directory.path(), REASON);
    }
    set_mode(directory.path(), 0o700);
    assert!(files_of(directory.path()) == before);
    assert!(!directory.path().join(".pulse-trust.lock").exists());
}

/// As a full disk does: the new file is there, and its bytes cannot be written.
#[test]
fn a_write_that_fails_leaves_the_old_file_and_no_other() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return check_unwritable(Path::new(&directory), "File too large");
    }
    let directory = outdated();
    let before = files_of(directory.path());
    let inner = child("a_write_that_fails_leaves_the_old_file_and_no_other", directory.path());
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""])
        .arg(inner.get_program())
        .args(inner.get_args());
    assert_succeeds(limited.env(CHILD, directory.path()));
    fs::remove_dir_all(directory.path().join("orgs")).unwrap();
    assert!(files_of(directory.path()) == before);
}

/// The test of this name in another process.
fn child(test: &str, directory: &Path) -> Command {
    child_of(&std::env::current_exe().unwrap(), test, directory)
}

fn child_of(program: &Path, test: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", &format!("storage::{test}"), "--nocapture"]).env(CHILD, directory);
    command
}

fn assert_succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// It waited thirty seconds for a lock that nobody held.
#[test]
fn a_directory_that_was_removed_meanwhile_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let opened = fs::File::open(directory.path()).unwrap();
    fs::remove_dir(directory.path()).unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&opened));
    let refused = DataDir::new(path).lock_within(std::time::Duration::ZERO).unwrap_err();
    assert!(matches!(refused, Error::FileMissing { .. }), "{refused:?}");
}

#[test]
fn what_is_no_directory_is_no_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let missing = DataDir::new(directory.path().join("missing"));
    assert!(matches!(missing.lock(), Err(Error::FileMissing { .. })));
    assert!(!missing.path().exists());
    fs::write(directory.path().join("file"), "").unwrap();
    let file = DataDir::new(directory.path().join("file")).lock().unwrap_err();
    assert!(matches!(&file, Error::File { kind: std::io::ErrorKind::NotADirectory, .. }), "{file:?}");
    assert!(matches!(DataDir::create(directory.path().join("file")), Err(Error::File { .. })));
}
