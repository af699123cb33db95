//! The data directory: whose it is, and what is not taken from it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pulse_relay::{Config, Relay};

use crate::common::{TestKeys, fresh, metric_becomes, refused, register, registered, resume, start};
use crate::program::Program;

const HOST: &str = "t-1.cloud.example.test";

async fn refusal_to_start(keys: &TestKeys, directory: &Path) -> String {
    let started = Relay::start(Config::on_loopback(keys.trusted(), directory)).await;
    started.err().expect("it starts").to_string()
}

fn write_private(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Zeros, which a power loss can leave, and whatever else had 32 bytes were taken for a key: then anyone forges sessions.
#[tokio::test]
async fn a_session_key_is_what_a_relay_wrote_or_it_does_not_start() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let (instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    drop(instance);
    relay.drain().await;
    let path = directory.path().join("session.key");
    let own = std::fs::read(&path).unwrap();
    let mut torn = own.clone();
    torn.truncate(60);
    let mut zeros_in_base64 = vec![b'A'; 86];
    zeros_in_base64.extend(b"==");
    for wrong in [vec![0; 88], vec![b' '; 88], vec![b'x'; 32], torn, zeros_in_base64, vec![0xff; 88], Vec::new()] {
        write_private(&path, &wrong);
        let message = refusal_to_start(&keys, directory.path()).await;
        assert!(message.contains("session.key") && message.contains("move it away"), "{wrong:?}: {message}");
    }
    write_private(&path, &own);
    let relay = start(Config::on_loopback(keys.trusted(), directory.path())).await;
    registered(&relay, &resume(&ack, "key")).await;
}

/// Two relays both served, gave one id to two identities, and the second one's start hid what the first one wrote.
#[tokio::test]
async fn one_relay_at_a_time_uses_a_directory() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let first = Program::start(&keys, &[("PULSE_RELAY_DATA_DIR", directory.path().to_str().unwrap())], Stdio::null());
    let message = refusal_to_start(&keys, directory.path()).await;
    assert!(message.contains(directory.path().to_str().unwrap()) && message.contains("another relay"), "{message}");
    // A relay that was killed leaves nothing that keeps the next one out.
    drop(first);
    let relay = start(Config::on_loopback(keys.trusted(), directory.path())).await;
    let (_instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let message = refusal_to_start(&keys, directory.path()).await;
    assert!(message.contains("another relay"), "{message}");
    relay.drain().await;
    let relay = start(Config::on_loopback(keys.trusted(), directory.path())).await;
    assert_eq!(refused(&relay, &register(&keys.lease(HOST, 3600), "h", "other")).await.0, "DUPLICATE_INSTANCE");
}

/// Registrations were acknowledged and written to a file that nobody would find again, and nothing said so.
#[tokio::test]
async fn a_directory_that_is_deleted_under_a_relay_is_noticed_and_counted() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let moved = directory.path().with_extension("moved");
    std::fs::rename(directory.path(), &moved).unwrap();
    let (_instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    metric_becomes(&relay, "pulse_relay_state_write_failures_total", 1).await;
    // Nobody registers: it is noticed all the same. And when the directory is back, the whole journal is written again.
    std::fs::rename(&moved, directory.path()).unwrap();
    std::fs::remove_file(directory.path().join("holds.jsonl")).unwrap();
    let journal = directory.path().join("holds.jsonl");
    for _ in 0..150 {
        if std::fs::read_to_string(&journal).is_ok_and(|text| text.lines().count() == 1) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the journal is not there again");
}

/// "stream did not contain valid UTF-8" named no file.
#[tokio::test]
async fn a_file_of_other_bytes_is_named_with_what_to_do() {
    let keys = TestKeys::new();
    for name in ["holds.jsonl", "session.key", "revocations.json"] {
        let directory = tempfile::tempdir().unwrap();
        write_private(&directory.path().join(name), b"\xff\xfe\n{}\n");
        let settings = [
            ("PULSE_RELAY_DATA_DIR", directory.path().to_str().unwrap()),
            ("PULSE_RELAY_LICENSE_SERVER_URL", "http://127.0.0.1:9/"),
            ("PULSE_RELAY_REVOCATION_FEED_TOKEN", "a-token-for-a-test"),
        ];
        let output = Program::command(&directory, &keys, &settings).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(name) && text.contains("move"), "{text}");
    }
}

/// A last line that a crash tore inside a character is left out, as one that it tore elsewhere.
#[tokio::test]
async fn a_line_torn_inside_a_character_keeps_nobody_from_starting() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let (_instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    relay.drain().await;
    let path = directory.path().join("holds.jsonl");
    let mut journal = std::fs::read(&path).unwrap();
    journal.extend("{\"instance_id\":\"\u{e9}".as_bytes().split_last().unwrap().1);
    write_private(&path, &journal);
    let relay = start(Config::on_loopback(keys.trusted(), directory.path())).await;
    assert_eq!(refused(&relay, &register(&keys.lease(HOST, 3600), "h", "other")).await.0, "DUPLICATE_INSTANCE");
}

/// A relay whose one line on standard output nobody took panicked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_output_that_nobody_takes_stops_nothing() {
    let keys = TestKeys::new();
    for is_full in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Program::command(&directory, &keys, &[("PULSE_RELAY_ADDR", &port.to_string())]);
        let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let pipe = reader.stdin.take().unwrap();
        reader.wait().unwrap();
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        command.stdout(if is_full { Stdio::from(full) } else { Stdio::from(pipe) }).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut is_healthy = false;
        for _ in 0..200 {
            if std::net::TcpStream::connect(port).is_ok() {
                is_healthy = crate::common::status_of(port, "/healthz").await == 200;
                break;
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        child.kill().ok();
        child.wait().unwrap();
        assert!(is_healthy, "full: {is_full}");
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let page = Command::new(env!("CARGO_BIN_EXE_pulse-relay")).arg("--metrics").stdout(full).output().unwrap();
    assert_eq!(page.status.code(), Some(1), "{}", String::from_utf8_lossy(&page.stderr));
}

/// The journal came back, and the key and the lock did not: nobody could resume, and a second relay took the directory.
#[tokio::test]
async fn a_directory_that_was_emptied_has_its_key_and_its_lock_again() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let (_instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let files = ["relay.lock", "session.key", "holds.jsonl"].map(|name| directory.path().join(name));
    for file in &files {
        std::fs::remove_file(file).unwrap();
    }
    for _ in 0..300 {
        if files.iter().all(|file| file.exists()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let message = refusal_to_start(&keys, directory.path()).await;
    assert!(message.contains("another relay"), "{message}");
    relay.drain().await;
    let relay = start(Config::on_loopback(keys.trusted(), directory.path())).await;
    registered(&relay, &resume(&ack, "key")).await;
}
