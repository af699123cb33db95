//! The demonstration as a process: its page, its phone, its end. `examples/web` opens the page in a browser.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{pulse_trust, run, text};
use serde_json::{Value, json};

/// A demonstration that runs.
struct Demo {
    child: Child,
    url: String,
}

impl Demo {
    fn start() -> Self {
        Self::start_in(&std::env::temp_dir())
    }

    /// With this directory for what is temporary.
    fn start_in(temporary: &Path) -> Self {
        let mut command = pulse_trust();
        command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let opened = lines.find(|line| line.starts_with("Open http")).unwrap();
        let url = opened.split(' ').nth(1).unwrap().to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn state(&self) -> Value {
        let mut answer = ureq::get(format!("{}state", self.url)).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// The phone has its answer a moment before the tenant has noted that it answered.
    fn state_when_paired(&self) -> Value {
        loop {
            let state = self.state();
            if !state["paired"].is_null() {
                return state;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn phone(&self, code: &str) -> Value {
        let body = json!({"code": code}).to_string();
        let mut answer =
            ureq::post(format!("{}phone", self.url)).header("Content-Type", "application/json").send(body).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn a_phone_with_the_code_is_paired_and_the_tenant_sees_it() {
    let mut demo = Demo::start();
    let before = demo.state();
    assert!(before["paired"].is_null());
    assert!(text(&before, "qr").contains("<svg"));
    let outcome = demo.phone(text(&before, "code"));
    assert_eq!(outcome["paired"], true, "{outcome}");
    assert!(text(&outcome, "seen").contains(text(&before, "fingerprint")), "{outcome}");
    let after = demo.state_when_paired();
    assert!(text(&after, "paired").contains("/api/status"), "{after}");

    let interrupted = Command::new("kill").args(["-INT", &demo.child.id().to_string()]).status().unwrap();
    assert!(interrupted.success() && demo.child.wait().unwrap().success());
}

#[test]
fn a_code_that_is_changed_or_of_another_relay_pairs_nobody() {
    let demo = Demo::start();
    let state = demo.state();
    let code = text(&state, "code");
    let stranger = pulse_trust::relay::Identity::generate().unwrap().public_key().to_base64();
    let stranger = stranger.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let (before, from_key) = code.split_once("identity_public_key=").unwrap();
    let (_, after) = from_key.split_once('&').unwrap();
    let refused = demo.phone(&format!("{before}identity_public_key={stranger}&{after}"));
    assert!(refused["paired"] == false && text(&refused, "seen").contains("KEY_EXCHANGE_SIGNATURE"), "{refused}");
    let elsewhere = code.replace("ws%3A%2F%2F127.0.0.1", "ws%3A%2F%2F127.0.0.2");
    assert_ne!(elsewhere, code);
    let refused = demo.phone(&elsewhere);
    assert!(refused["paired"] == false && text(&refused, "seen").contains("alone"), "{refused}");
    assert!(demo.state()["paired"].is_null());
}

#[test]
fn no_other_site_reads_the_page_or_makes_the_phone_connect() {
    let demo = Demo::start();
    let code = text(&demo.state(), "code").to_owned();
    let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    let rebound = agent.get(format!("{}state", demo.url)).header("Host", "attacker.example").call().unwrap();
    assert_eq!(rebound.status(), 403);
    let form = agent.post(format!("{}phone", demo.url)).header("Content-Type", "text/plain");
    assert_eq!(form.send(json!({"code": code}).to_string()).unwrap().status(), 415);
    assert!(demo.state()["paired"].is_null());
}

#[test]
fn an_address_that_cannot_be_used_is_named() {
    let demo = Demo::start();
    let taken = demo.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let output = run(pulse_trust().args(["demo", "--listen", &taken]), b"");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&taken));
    let output = run(pulse_trust().args(["demo", "--listen", "0.0.0.0:0"]), b"");
    assert_eq!(output.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn whichever_signal_ends_it_nothing_is_left_and_nobody_else_could_look() {
    use std::os::unix::fs::PermissionsExt;
    for signal in ["-INT", "-TERM", "-HUP"] {
        let temporary = tempfile::tempdir().unwrap();
        let mut demo = Demo::start_in(temporary.path());
        let entries: Vec<_> = std::fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!entries.is_empty());
        for entry in entries {
            assert_eq!(std::fs::metadata(&entry).unwrap().permissions().mode() & 0o777, 0o700, "{entry:?}");
        }
        let sent = Command::new("kill").args([signal, &demo.child.id().to_string()]).status().unwrap();
        assert!(sent.success() && demo.child.wait().unwrap().success(), "{signal}");
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_cannot_be_written_ends_it_with_a_message() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let mut command = pulse_trust();
    command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary.path());
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("cannot be written") && !stderr.contains("panicked"), "{stderr}");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}
