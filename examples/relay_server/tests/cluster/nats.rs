//! A NATS server of a test, and nodes that share it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pulse_relay::{Config, NatsConfig, Relay};

use crate::common::{TestKeys, get_status, metric};

/// A server that runs.
pub(crate) struct Nats {
    program: PathBuf,
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Nats {
    /// A fresh server; `None`, and said so, where there is no program.
    pub(crate) fn start() -> Option<Self> {
        let program = std::env::var_os("PULSE_NATS_SERVER").map_or_else(|| PathBuf::from("nats-server"), PathBuf::from);
        let port = free_port();
        let directory = tempfile::tempdir().unwrap();
        match run(&program, port, directory.path()) {
            Ok(child) => Some(Self { program, child, port, directory }),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "{}: {error}: CI needs a NATS server", program.display());
                println!("SKIPPED: {}: {error}", program.display());
                None
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// As the kernel does it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// At the same address, with what it had stored, or without.
    pub(crate) fn start_again(&mut self, has_forgotten: bool) {
        if has_forgotten {
            self.directory = tempfile::tempdir().unwrap();
        }
        self.child = run(&self.program, self.port, self.directory.path()).unwrap();
    }

    /// The settings of a node.
    pub(crate) fn config(&self, keys: &TestKeys, data: &tempfile::TempDir) -> Config {
        let mut config = Config::on_loopback(keys.trusted(), data.path());
        config.nats = Some(NatsConfig::new(&self.url()).unwrap());
        config
    }

    /// Nodes that know of each other.
    pub(crate) async fn nodes<const COUNT: usize>(&self, keys: &TestKeys) -> [Node; COUNT] {
        let mut nodes = Vec::new();
        for number in 0..COUNT {
            let data = tempfile::tempdir().unwrap();
            let mut config = self.config(keys, &data);
            config.nats.as_mut().unwrap().node_url = format!("ws://node-{number}.example.test/ws/instance");
            nodes.push(Node { relay: Relay::start(config).await.unwrap(), _data: data });
        }
        for node in &nodes {
            becomes(&node.relay, "pulse_relay_cluster_peers", i64::try_from(COUNT).unwrap() - 1).await;
        }
        nodes.try_into().unwrap_or_else(|_| panic!("another number of nodes"))
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(program: &std::path::Path, port: u16, directory: &std::path::Path) -> std::io::Result<Child> {
    let child = Command::new(program)
        .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"])
        .arg(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let began = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "the NATS server does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(child)
}

/// A node.
pub(crate) struct Node {
    pub(crate) relay: Relay,
    _data: tempfile::TempDir,
}

/// Waits for a metric to have a value: news of other nodes take their time.
pub(crate) async fn becomes(relay: &Relay, name: &str, expected: i64) {
    let began = Instant::now();
    while metric(relay, name).await != expected {
        assert!(began.elapsed() < Duration::from_secs(15), "{name} is {}", metric(relay, name).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits for a path to answer with a status.
pub(crate) async fn answers(relay: &Relay, path: &str, status: u16) {
    let began = Instant::now();
    while get_status(relay, path).await != status {
        assert!(began.elapsed() < Duration::from_secs(15), "{path} does not answer {status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
