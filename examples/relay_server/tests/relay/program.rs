//! The program: its log, its signals, its settings.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pulse_trust::relay::{ControlPayload, ErrorMessage, Frame};
use rustix::process::{Pid, Signal, kill_process};

use crate::common::{Client, TestKeys, register};

pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) addr: SocketAddr,
    directory: tempfile::TempDir,
}

impl Program {
    pub(crate) fn start(keys: &TestKeys, settings: &[(&str, &str)], stderr: Stdio) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), keys, settings, stderr)
    }

    fn start_in(directory: tempfile::TempDir, keys: &TestKeys, settings: &[(&str, &str)], stderr: Stdio) -> Self {
        let mut command = Self::command(&directory, keys, settings);
        command.stderr(stderr);
        Self::started(command, directory)
    }

    pub(crate) fn started(mut command: Command, directory: tempfile::TempDir) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addr = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
        Self { child, addr, directory }
    }

    pub(crate) fn command(directory: &tempfile::TempDir, keys: &TestKeys, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pulse-relay"));
        command
            .env("PULSE_RELAY_ADDR", "127.0.0.1:0")
            .env("PULSE_RELAY_DATA_DIR", directory.path())
            .env("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", keys.lease.public_key().to_base64())
            .envs(settings.iter().copied());
        command
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn ends_within(&mut self, time: Duration) -> Option<std::process::ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// Ends it as the kernel does, and starts another in the same directory.
    fn killed_and_started_again(mut self, keys: &TestKeys) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        Self::start_in(directory, keys, &[], Stdio::null())
    }

    async fn health(&self) -> u16 {
        crate::common::status_of(self.addr, "/healthz").await
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn refused_registrations(addr: SocketAddr, count: usize) {
    for number in 0..count {
        let mut client = Client::connect_to(addr, "/ws/instance").await;
        client.say(&register("no token", "hint", &format!("key {number}")), 0).await;
        let bytes = client.next().await.unwrap();
        ErrorMessage::from_frame(&Frame::decode(&bytes).unwrap()).unwrap();
    }
}

/// A reader of standard error that stopped after 271 refusals froze channels, `/healthz` and SIGTERM; one that went away
/// ended the accept loop for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_the_log_slowly_or_no_more_stops_nothing() {
    let keys = TestKeys::new();
    for reads in [true, false] {
        let mut program = Program::start(&keys, &[("RUST_LOG", "trace")], Stdio::piped());
        let stderr = program.child.stderr.take().filter(|_| reads);
        refused_registrations(program.addr, 600).await;
        assert_eq!(program.health().await, 200);
        program.signal(Signal::TERM);
        let status = program.ends_within(Duration::from_secs(6)).expect("it does not end");
        assert!(status.success(), "{status}");
        drop(stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_one_json_object_a_line_without_tokens_and_limited() {
    let keys = TestKeys::new();
    let mut program = Program::start(&keys, &[("PULSE_RELAY_LOG_FORMAT", "json")], Stdio::piped());
    let mut stderr = program.child.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let token = keys.lease("t-1.example.test", 3600);
    let mut instance = Client::connect_to(program.addr, "/ws/instance").await;
    instance.say(&register(&token, "a secret hint", "key"), 0).await;
    let ack: pulse_trust::relay::RegisterAck = instance.expect().await;
    refused_registrations(program.addr, 180).await;
    program.signal(Signal::TERM);
    program.ends_within(Duration::from_secs(6)).expect("it does not end");
    let text = reading.join().unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |message: &str| lines.iter().filter(|line| line["message"] == message).collect::<Vec<_>>();
    let registered = of("registered");
    assert_eq!(registered[0]["instance_id"], ack.instance_id.as_str());
    assert_eq!(registered[0]["key_id"], keys.lease.public_key().key_id().as_str());
    assert_eq!(of("disconnected").len(), 1);
    let refusals = of("refused a registration").len();
    assert!((50..150).contains(&refusals), "{refusals} of 180 refusals were logged");
    for secret in [token.as_str(), "a secret hint", ack.session_token.expose_secret()] {
        assert!(!text.contains(secret));
    }
    assert!(!text.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_changes_nothing_and_a_second_signal_ends_at_once() {
    let keys = TestKeys::new();
    let mut program = Program::start(&keys, &[("PULSE_RELAY_DRAIN_TIMEOUT", "30s")], Stdio::null());
    program.signal(Signal::HUP);
    assert!(program.ends_within(Duration::from_millis(300)).is_none());
    assert_eq!(program.health().await, 200);
    // A request that is never answered holds the drain up.
    let token = keys.lease("t-1.example.test", 3600);
    let mut instance = Client::connect_to(program.addr, "/ws/instance").await;
    instance.say(&register(&token, "h", "key"), 0).await;
    let ack: pulse_trust::relay::RegisterAck = instance.expect().await;
    let mut app = Client::connect_to(program.addr, "/ws/app").await;
    app.say(&crate::common::connect(&ack.instance_id), 0).await;
    let open: pulse_trust::relay::ChannelOpen = instance.expect().await;
    instance.say(&open, open.channel_id).await;
    let accepted: pulse_trust::relay::ConnectAck = app.expect().await;
    app.send(crate::common::frame(pulse_trust::relay::FrameType::Data, accepted.channel_id, b"x")).await;
    instance.next().await.unwrap();
    program.signal(Signal::INT);
    assert!(program.ends_within(Duration::from_millis(700)).is_none());
    program.signal(Signal::INT);
    assert!(program.ends_within(Duration::from_secs(2)).is_some(), "the second signal does not end it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_begins_with_each_setting_and_without_a_secret_or_a_color() {
    let keys = TestKeys::new();
    let settings = [("PULSE_RELAY_ADDR", ":0"), ("PULSE_RELAY_MAX_APPS", "17")];
    let mut program = Program::start(&keys, &settings, Stdio::piped());
    assert!(program.addr.ip().is_unspecified(), "{}", program.addr);
    program.signal(Signal::TERM);
    program.ends_within(Duration::from_secs(6)).expect("it does not end");
    let mut text = String::new();
    program.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    let fingerprint = keys.lease.public_key().log_fingerprint();
    for (setting, value) in [
        ("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", fingerprint.as_str()),
        ("PULSE_RELAY_PUBLIC_KEY", "none"),
        ("PULSE_RELAY_ADDR", "0.0.0.0:0"),
        ("PULSE_RELAY_MAX_APPS", "17"),
    ] {
        let is_told = text.lines().any(|line| line.contains(setting) && line.contains(value));
        assert!(is_told, "{setting} {value}:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

/// A relay that was killed had forgotten who holds which id: whoever had stolen a lease took it over after a crash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_killed_knows_who_holds_which_id_when_it_comes_back() {
    let keys = TestKeys::new();
    let program = Program::start(&keys, &[], Stdio::null());
    let token = keys.lease("t-1.example.test", 3600);
    let mut instance = Client::connect_to(program.addr, "/ws/instance").await;
    instance.say(&register(&token, "h", "key"), 0).await;
    let ack: pulse_trust::relay::RegisterAck = instance.expect().await;
    // Answered is written: nothing is waited for.
    let program = program.killed_and_started_again(&keys);
    let mut another = Client::connect_to(program.addr, "/ws/instance").await;
    another.say(&register(&token, "h", "another key"), 0).await;
    assert_eq!(another.refusal().await.0, "DUPLICATE_INSTANCE");
    let mut resume = register("stale", &ack.instance_id, "key");
    resume.session_token = Some(ack.session_token.duplicate());
    let mut instance = Client::connect_to(program.addr, "/ws/instance").await;
    instance.say(&resume, 0).await;
    let again: pulse_trust::relay::RegisterAck = instance.expect().await;
    assert_eq!((again.instance_id, again.expires_at), (ack.instance_id, ack.expires_at));
}

#[test]
fn a_setting_that_cannot_be_used_ends_the_start_and_is_named() {
    let keys = TestKeys::new();
    for (variable, value) in [
        ("PULSE_RELAY_LOG_FORMAT", "xml"),
        ("PULSE_RELAY_DRAIN_TIMEOUT", "soon"),
        ("PULSE_RELAY_ADDR", "192.0.2.1:0"),
        ("PULSE_RELAY_DATA_DIR", "/dev/null/data"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let output = Program::command(&directory, &keys, &[(variable, value)]).output().unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(variable) && text.contains(value), "{text}");
    }
}
