//! The prober as a process, against relays over real sockets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pulse_relay::{Config, Relay};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use serde_json::Value;

struct Node {
    relay: Relay,
    _data: tempfile::TempDir,
}

/// A relay that trusts the key.
async fn node(key: &SigningKey) -> Node {
    let data = tempfile::tempdir().unwrap();
    let keys = TrustKeys::for_leases(TrustKeySet::new([key.public_key().clone()]));
    Node { relay: Relay::start(Config::on_loopback(keys, data.path())).await.unwrap(), _data: data }
}

impl Node {
    fn named(&self, name: &str) -> String {
        format!("{name}=ws://{}", self.relay.local_addr())
    }
}

fn prober(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulse-prober"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PULSE_") {
            command.env_remove(name);
        }
    }
    command.args(["--timeout", "5"]).args(arguments);
    command
}

async fn run(arguments: &[&str]) -> Output {
    let mut command = prober(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn key_file(directory: &Path, key: &SigningKey) -> String {
    let path = directory.join("control-plane.key");
    std::fs::write(&path, key.secret_base64().expose_secret()).unwrap();
    path.display().to_string()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_serves_passes_every_step_again_and_again() {
    let (key, directory) = (SigningKey::generate().unwrap(), tempfile::tempdir().unwrap());
    let (node, key_file) = (node(&key).await, key_file(directory.path(), &key));
    let tenant = directory.path().join("tenant").display().to_string();
    // Twice with one directory: the identity that holds the instance id is kept.
    for _ in 0..2 {
        let output =
            run(&["--once", "--signing-key-file", &key_file, "--tenant", &tenant, "--node", &node.named("a")]).await;
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(0), "{shown}");
        let row: Vec<&str> = shown.lines().nth(1).unwrap().split_whitespace().collect();
        assert!(row[0] == "a" && row[1] == "a" && row.last() == Some(&"ok") && !row.contains(&"-"), "{shown}");
    }
    // A tenant as a control plane has provisioned it, its settings in the environment.
    let mut provisioned = prober(&["--once", "--json", "--tenant", &tenant, "--node", &node.named("a")]);
    provisioned
        .env("PULSE_HOSTED_MODE", "true")
        .env("PULSE_PUBLIC_URL", "https://t-prober.cloud.example.test")
        .env("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", key.public_key().to_base64());
    let output = tokio::task::spawn_blocking(move || provisioned.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let probes: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps: Vec<&str> =
        probes[0]["steps"].as_array().unwrap().iter().map(|step| step[0].as_str().unwrap()).collect();
    assert_eq!(steps, ["register", "pair", "request", "refusal"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_broken_is_named_and_fails() {
    let (key, directory) = (SigningKey::generate().unwrap(), tempfile::tempdir().unwrap());
    let (good, stranger) = (node(&key).await, node(&SigningKey::generate().unwrap()).await);
    let key_file = key_file(directory.path(), &key);
    let (a, b) = (good.named("a"), stranger.named("b"));
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = format!("c=ws://{gone}");
    let output = run(&["--once", "--signing-key-file", &key_file, "--node", &a, "--node", &b, "--node", &gone]).await;
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    let row = |at: &str, from: &str| {
        let mut rows = shown.lines().skip(1);
        rows.find(|row| row.split_whitespace().take(2).eq([at, from])).unwrap_or_else(|| panic!("{shown}")).to_owned()
    };
    assert!(row("a", "a").ends_with("ok"), "{shown}");
    // These nodes do not share their instances.
    assert!(row("a", "b").contains("BROKEN at pair: INSTANCE_NOT_FOUND"), "{shown}");
    assert!(row("b", "b").contains("BROKEN at register: "), "{shown}");
    assert!(row("c", "c").contains("BROKEN at register: connect_failed: ws://127.0.0.1:"), "{shown}");
    assert!(row("c", "c").contains("refused") && row("a", "c").contains("/ws/app: "), "{shown}");
    assert_eq!(shown.lines().count(), 10, "{shown}");
    let output = run(&["--once", "--no-pairs", "--signing-key-file", &key_file, "--node", &a]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_credential_nothing_is_said_of_the_relay() {
    let (key, directory) = (SigningKey::generate().unwrap(), tempfile::tempdir().unwrap());
    let node = node(&key).await;
    let empty = directory.path().display().to_string();
    let output = run(&["--once", "--tenant", &empty, "--node", &node.named("a")]).await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("BROKEN at credential"), "{}", text(&output));
    let output = run(&["--once", "--tenant", "/nonexistent", "--node", &node.named("a")]).await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let output = run(&["--once", "--tenant", &empty, "--node", "http://relay"]).await;
    assert!(output.status.code() == Some(2) && text(&output).contains("http://relay"), "{}", text(&output));
    let output = run(&["--once", "--tenant", &empty, "--node", "a=ws://x", "--node", "a=ws://y"]).await;
    assert!(output.status.code() == Some(2) && text(&output).contains("twice"), "{}", text(&output));
}

/// A prober that runs for good.
struct Following {
    child: Child,
    url: String,
}

impl Following {
    fn start(arguments: &[&str]) -> Self {
        let mut child = prober(arguments)
            .args(["--interval", "1", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().rsplit(' ').next().unwrap().to_owned() }
    }

    fn get(&self, path: &str) -> String {
        ureq::get(format!("{}{path}", self.url)).call().unwrap().body_mut().read_to_string().unwrap()
    }

    fn page_says(&self, verdict: &str) {
        let began = Instant::now();
        while !self.get("").contains(verdict) {
            assert!(began.elapsed() < Duration::from_secs(20), "{}", self.get("status.json"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn page_and_metrics_follow_what_happens_to_the_relay() {
    let (key, directory) = (SigningKey::generate().unwrap(), tempfile::tempdir().unwrap());
    let (node, key_file) = (node(&key).await, key_file(directory.path(), &key));
    let name = node.named("a");
    let following = Following::start(&["--signing-key-file", &key_file, "--node", &name]);
    let relay = node.relay;
    let following = tokio::task::spawn_blocking(move || {
        following.page_says("✓ all 1 probes pass");
        let metrics = following.get("metrics");
        for line in [
            r#"pulse_prober_success{instance_node="a",phone_node="a"} 1"#,
            r#"pulse_prober_probes_total{instance_node="a",phone_node="a",result="passed"}"#,
            r#"pulse_prober_step_seconds{instance_node="a",phone_node="a",step="refusal"}"#,
            "pulse_prober_last_round_timestamp_seconds 1",
            "pulse_prober_credential_end_timestamp_seconds 1",
        ] {
            assert!(metrics.contains(line), "{line} is not in:\n{metrics}");
        }
        following
    })
    .await
    .unwrap();
    relay.drain().await;
    tokio::task::spawn_blocking(move || {
        following.page_says("✗ 1 of 1 probes fail");
        let metrics = following.get("metrics");
        assert!(metrics.contains(r#"pulse_prober_success{instance_node="a",phone_node="a"} 0"#), "{metrics}");
        assert!(metrics.contains(r#"step="register""#), "{metrics}");
        let status: Value = serde_json::from_str(&following.get("status.json")).unwrap();
        assert_eq!(status["last"][0]["broken"]["step"], "register", "{status}");
    })
    .await
    .unwrap();
}
