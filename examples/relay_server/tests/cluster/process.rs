//! A node as a process: it can be killed, and drained by the signal that an operator sends.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::TestKeys;
use crate::nats::Nats;

const LOG: &str = "log.txt";

pub(crate) struct Process {
    child: Child,
    pub(crate) addr: SocketAddr,
    data: tempfile::TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Process {
    /// A node with these settings beside those that it needs.
    pub(crate) fn start(nats: &Nats, keys: &TestKeys, settings: &[(&'static str, String)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut all = vec![
            ("PULSE_RELAY_ADDR", "127.0.0.1:0".to_owned()),
            ("PULSE_RELAY_DATA_DIR", data.path().display().to_string()),
            ("PULSE_RELAY_NATS_URL", nats.url()),
            ("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", keys.lease.public_key().to_base64()),
        ];
        all.extend_from_slice(settings);
        let (child, addr) = run(&all, &data);
        Self { child, addr, data, settings: all }
    }

    /// As the kernel does it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// As an operator ends it: it drains.
    pub(crate) fn terminate(&self) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
    }

    /// Drains it, waits for its end, and starts it again with the same settings and data.
    pub(crate) fn restart(mut self) -> Self {
        self.terminate();
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(10), "a node does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        (self.child, self.addr) = run(&self.settings, &self.data);
        self
    }

    /// What it has logged since it was started last.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join(LOG)).unwrap()
    }
}

fn run(settings: &[(&'static str, String)], data: &tempfile::TempDir) -> (Child, SocketAddr) {
    let log = std::fs::File::create(data.path().join(LOG)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pulse-relay"))
        .envs(settings.iter().cloned())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().rsplit(' ').next().unwrap().parse().unwrap())
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
