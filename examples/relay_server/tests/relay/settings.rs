//! Settings: the file, the environment, the page, and what SIGHUP brings into effect.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use pulse_trust::relay::{ControlPayload, ErrorMessage, Frame, RegisterAck};
use rustix::process::Signal;

use crate::common::{Client, TestKeys, register};
use crate::program::Program;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/SETTINGS.md");

fn relay(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulse-relay"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PULSE_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

fn check(file: &Path, environment: &[(&str, &str)]) -> (bool, String) {
    let arguments = ["--check-config", "--config", file.to_str().unwrap()];
    let Output { status, stdout, stderr } = relay(&arguments).envs(environment.iter().copied()).output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

#[test]
fn the_page_of_settings_is_that_of_the_program() {
    let output = relay(&["--settings"]).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let kept = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(page == kept, "run cargo run -p pulse-relay -- --settings > examples/relay_server/SETTINGS.md");
}

/// Such a value counted as absent: a relay without its keys, or without its revocations.
#[test]
fn a_value_that_is_not_text_ends_the_start() {
    use std::os::unix::ffi::OsStrExt;
    let broken = std::ffi::OsStr::from_bytes(b"a\xff");
    for variable in ["PULSE_RELAY_PUBLIC_KEY", "PULSE_RELAY_DATA_DIR", "PULSE_RELAY_LICENSE_SERVER_URL", "RUST_LOG"] {
        let Output { status, stderr, .. } = relay(&["--check-config"]).env(variable, broken).output().unwrap();
        let text = String::from_utf8(stderr).unwrap();
        assert!(!status.success() && text.contains(variable) && text.contains("UTF-8"), "{text}");
    }
}

#[test]
fn a_file_is_checked_without_a_trace_and_the_environment_wins() {
    let directory = tempfile::tempdir().unwrap();
    let (file, data) = (directory.path().join("relay.toml"), directory.path().join("data"));
    fs::write(&file, format!("addr = ':9443'\nmax_apps = 7\ndata_dir = '{}'\nstall_timeout = '7s'\n", data.display()))
        .unwrap();
    let (is_good, text) = check(&file, &[("PULSE_RELAY_MAX_APPS", "8")]);
    assert!(is_good && text.ends_with("ok\n"), "{text}");
    for line in [
        format!("PULSE_RELAY_ADDR = 0.0.0.0:9443 ({})", file.display()),
        "PULSE_RELAY_MAX_APPS = 8 (environment)".to_owned(),
        format!("PULSE_RELAY_STALL_TIMEOUT = 7s ({})", file.display()),
        "PULSE_RELAY_MAX_INSTANCES = 100000 (default)".to_owned(),
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
    }
    assert!(!data.exists(), "--check-config has made the data directory");
    let file_name = file.display().to_string();
    for (content, named) in [
        ("stall_timeout = 'soon'", ["PULSE_RELAY_STALL_TIMEOUT", "soon"]),
        ("drain_timeout = '48h'", ["PULSE_RELAY_DRAIN_TIMEOUT", "from 100ms to 1h"]),
        ("channel_queue = 1024", ["PULSE_RELAY_CHANNEL_QUEUE", "from 128KiB to 1GiB"]),
        ("data_dir = ''", ["PULSE_RELAY_DATA_DIR", "/var/lib/pulse-relay"]),
        ("node_url = 'wss://node-1.example.test/ws/instance'", ["PULSE_RELAY_NODE_URL", "PULSE_RELAY_NATS_URL"]),
        ("max_app = 1", ["max_app", "--settings"]),
        (
            "tls_certificate = '/nonexistent/relay.pem'\ntls_key = '/nonexistent/relay.key'",
            ["/nonexistent/relay.pem", "PULSE_RELAY_TLS_CERTIFICATE"],
        ),
        ("addr", [file_name.as_str(), "--config"]),
    ] {
        fs::write(&file, content).unwrap();
        let (is_good, text) = check(&file, &[]);
        assert!(!is_good && named.iter().all(|named| text.contains(named)), "{content}: {text}");
    }
    fs::remove_file(&file).unwrap();
    let (is_good, text) = check(&file, &[]);
    assert!(!is_good && text.contains(&file_name), "{text}");
}

/// What `/metrics` says, once it says it.
async fn metrics_say(program: &Program, line: &str) {
    let url = format!("http://{}/metrics", program.addr);
    let began = Instant::now();
    loop {
        let asked = url.clone();
        let get = move || ureq::get(&asked).call().unwrap().body_mut().read_to_string().unwrap();
        let text = tokio::task::spawn_blocking(get).await.unwrap();
        if text.lines().any(|said| said == line) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{line} is not in:\n{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn register_at(program: &Program, token: &str) -> (Client, Result<RegisterAck, String>) {
    let mut client = Client::connect_to(program.addr, "/ws/instance").await;
    client.say(&register(token, "h", "key"), 0).await;
    let bytes = client.next().await.unwrap();
    let frame = Frame::decode(&bytes).unwrap();
    let outcome = RegisterAck::from_frame(&frame).map_err(|_| ErrorMessage::from_frame(&frame).unwrap().code);
    (client, outcome)
}

/// A key could be added or removed by a restart alone, which ends every connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_rotates_a_key_without_a_refused_registration() {
    let (old, new, directory) = (TestKeys::new(), TestKeys::new(), tempfile::tempdir().unwrap());
    let file = directory.path().join("relay.toml");
    let keys = |keys: &[&TestKeys]| {
        let list: Vec<String> = keys.iter().map(|keys| format!("'{}'", keys.lease.public_key().to_base64())).collect();
        format!("hosted_entitlement_public_key = [{}]\n", list.join(", "))
    };
    fs::write(&file, keys(&[&old])).unwrap();
    // Set but empty in the environment: the file counts.
    let settings = [("PULSE_RELAY_CONFIG", file.to_str().unwrap()), ("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", "")];
    let program = Program::start(&old, &settings, Stdio::null());
    let (old_host, new_host) = ("t-1.cloud.example.test", "t-2.cloud.example.test");
    let (mut before, outcome) = register_at(&program, &old.lease(old_host, 3600)).await;
    outcome.unwrap();
    let (_, refused) = register_at(&program, &new.lease(new_host, 3600)).await;
    assert_eq!(refused.unwrap_err(), "LICENSE_INVALID");
    // The next key is trusted beside the old one.
    fs::write(&file, keys(&[&old, &new])).unwrap();
    program.signal(Signal::HUP);
    metrics_say(&program, "pulse_relay_config_reloads_total 1").await;
    let (mut after, outcome) = register_at(&program, &new.lease(new_host, 3600)).await;
    outcome.unwrap();
    before.settle().await;
    // A file that cannot be used changes nothing.
    fs::write(&file, "hosted_entitlement_public_key = 'x'\n").unwrap();
    program.signal(Signal::HUP);
    metrics_say(&program, "pulse_relay_config_reload_failures_total 1").await;
    before.settle().await;
    // The old one goes, and what it signed.
    fs::write(&file, keys(&[&new])).unwrap();
    program.signal(Signal::HUP);
    metrics_say(&program, "pulse_relay_config_reloads_total 2").await;
    let (frames, code, _) = before.end().await;
    let error = ErrorMessage::from_frame(&Frame::decode(frames.last().unwrap()).unwrap()).unwrap();
    assert_eq!((error.code.as_str(), code), ("AUTH_FAILED", 1008));
    after.settle().await;
    metrics_say(&program, "pulse_relay_sessions_key_removed_total 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_changes_limits_and_the_log_and_names_what_waits_for_a_restart() {
    use std::io::Read;
    let (keys, directory) = (TestKeys::new(), tempfile::tempdir().unwrap());
    let file = directory.path().join("relay.toml");
    fs::write(&file, "").unwrap();
    let mut program = Program::start(&keys, &[("PULSE_RELAY_CONFIG", file.to_str().unwrap())], Stdio::piped());
    let mut last = Client::connect_to(program.addr, "/ws/instance").await;
    fs::write(&file, "handshakes_per_address = '1, 1/h'\nmax_apps = 3\nlog = 'warn'\n").unwrap();
    program.signal(Signal::HUP);
    metrics_say(&program, "pulse_relay_config_reloads_total 1").await;
    last.settle().await;
    let mut status = Vec::new();
    for _ in 0..2 {
        let url = format!("ws://{}/ws/app", program.addr);
        status.push(match tokio_tungstenite::connect_async(url).await {
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => response.status().as_u16(),
            _ => 101,
        });
    }
    assert_eq!(status, [101, 429]);
    metrics_say(&program, r#"pulse_relay_rate_limited_total{limit="handshakes"} 1"#).await;
    program.signal(Signal::TERM);
    program.ends_within(Duration::from_secs(6)).expect("it does not end");
    let mut text = String::new();
    program.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.lines().any(|line| line.contains("PULSE_RELAY_MAX_APPS") && line.contains("next start")), "{text}");
    assert!(text.contains(r#"old="5000, 200/s" new="1, 1/h""#), "{text}");
    assert!(!text.contains("draining"), "the log still says more than warnings:\n{text}");
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// It waited for the pipe's writer, and read a device without an end until memory was gone.
#[test]
fn what_is_not_a_regular_file_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relay.toml");
    pipe(&file);
    for file in [file.as_path(), Path::new("/dev/zero")] {
        let (is_good, text) = check(file, &[]);
        assert!(!is_good && text.contains("expected a regular file"), "{text}");
    }
    let large = directory.path().join("large.toml");
    fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
    let (is_good, text) = check(&large, &[]);
    assert!(!is_good && text.contains("expected at most 1048576 bytes"), "{text}");
}

/// The start refused it, and the check had said ok.
#[test]
fn a_session_key_that_the_start_refuses_is_refused_by_the_check() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let (file, key) = (directory.path().join("relay.toml"), directory.path().join("session.key"));
    fs::write(&file, format!("data_dir = '{}'\n", directory.path().display())).unwrap();
    fs::write(&key, "short").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (is_good, text) = check(&file, &[]);
    assert!(!is_good && text.contains("session.key") && text.contains("chmod 600"), "{text}");
    fs::remove_file(&key).unwrap();
    std::os::unix::fs::symlink("/dev/null", &key).unwrap();
    let (is_good, text) = check(&file, &[]);
    assert!(!is_good && text.contains("session.key") && text.contains("symbolic link"), "{text}");
}

/// With a pipe in the file's place neither SIGHUP nor SIGTERM did anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_becomes_a_pipe_holds_up_neither_a_reload_nor_the_end() {
    let (keys, directory) = (TestKeys::new(), tempfile::tempdir().unwrap());
    let file = directory.path().join("relay.toml");
    fs::write(&file, "").unwrap();
    let mut program = Program::start(&keys, &[("PULSE_RELAY_CONFIG", file.to_str().unwrap())], Stdio::null());
    fs::remove_file(&file).unwrap();
    pipe(&file);
    program.signal(Signal::HUP);
    metrics_say(&program, "pulse_relay_config_reload_failures_total 1").await;
    fs::remove_file(&file).unwrap();
    fs::write(&file, "max_apps = 9\n").unwrap();
    program.signal(Signal::HUP);
    metrics_say(&program, "pulse_relay_config_reloads_total 1").await;
    program.signal(Signal::TERM);
    program.ends_within(Duration::from_secs(6)).expect("it does not end");
}

/// The admin address showed what waited for a restart as if it were in effect, and the log said of the proxies that they wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_settings_in_effect_are_those_in_effect() {
    use std::io::Read;
    let (keys, directory) = (TestKeys::new(), tempfile::tempdir().unwrap());
    let file = directory.path().join("relay.toml");
    fs::write(&file, "max_apps = 7\n").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let admin = format!("127.0.0.1:{port}");
    let settings = [("PULSE_RELAY_CONFIG", file.to_str().unwrap()), ("PULSE_RELAY_ADMIN_ADDR", admin.as_str())];
    let mut program = Program::start(&keys, &settings, Stdio::piped());
    fs::write(&file, "max_apps = 3\ntrusted_proxies = '192.0.2.7'\nstall_timeout = '7s'\n").unwrap();
    program.signal(Signal::HUP);
    metrics_say(&program, "pulse_relay_config_reloads_total 1").await;
    let url = format!("http://{admin}/settings");
    let get = move || ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    let text = tokio::task::spawn_blocking(get).await.unwrap();
    let shown: std::collections::BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["PULSE_RELAY_MAX_APPS"], "7");
    assert_eq!(shown["PULSE_RELAY_TRUSTED_PROXIES"], "192.0.2.7/32");
    assert_eq!(shown["PULSE_RELAY_STALL_TIMEOUT"], "7s");
    program.signal(Signal::TERM);
    program.ends_within(Duration::from_secs(6)).expect("it does not end");
    let mut log = String::new();
    program.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let waits = |name: &str| log.lines().any(|line| line.contains(name) && line.contains("next start"));
    assert!(waits("PULSE_RELAY_MAX_APPS") && !waits("PULSE_RELAY_TRUSTED_PROXIES"), "{log}");
}
