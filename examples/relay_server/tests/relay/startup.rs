//! What the program does and says before it serves.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use procfs::process::Process;
use pulse_trust::keys::SigningKey;
use rustix::process::{Pid, Signal, kill_process};

use crate::common::TestKeys;
use crate::feed::FeedServer;
use crate::program::Program;

/// The log of a relay that started and was told to end.
fn log_of(command: Command) -> String {
    let mut program = Program::started(command, tempfile::tempdir().unwrap());
    program.signal(Signal::TERM);
    program.ends_within(Duration::from_secs(6)).expect("it does not end");
    let mut text = String::new();
    program.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// SIGHUP ended a relay that still read its settings: it is sent as soon as it is handled, or the relay has worked for so long that it
/// reads them.
#[test]
fn a_hang_up_before_the_settings_are_read_ends_nothing() {
    let keys = TestKeys::new();
    let many: Vec<String> = (0..40).map(|_| SigningKey::generate().unwrap().public_key().to_base64()).collect();
    let directory = tempfile::tempdir().unwrap();
    let settings = [("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", many.join(","))];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut command = Program::command(&directory, &keys, &settings);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let process = Process::new(i32::try_from(child.id()).unwrap()).unwrap();
    loop {
        let is_handled = process.status().unwrap().sigcgt & 1 == 1;
        let stat = process.stat().unwrap();
        if is_handled || stat.utime + stat.stime >= 5 {
            break;
        }
    }
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    let mut line = [0; 9];
    let said = child.stdout.take().unwrap().read_exact(&mut line);
    child.kill().ok();
    let status = child.wait().unwrap();
    assert!(said.is_ok() && &line == b"listening", "{status}");
}

#[test]
fn a_directory_that_others_may_write_to_is_warned_of() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    for (mode, is_warned) in [(0o777, true), (0o720, true), (0o755, false)] {
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let mut command = Program::command(&directory, &keys, &[]);
        command.stderr(Stdio::piped());
        let text = log_of(command);
        let is_told = text.contains("other users may write") && text.contains(directory.path().to_str().unwrap());
        assert_eq!(is_told, is_warned, "{mode:o}: {text}");
    }
}

/// It started, registered instances, and answered every phone 503.
#[test]
fn few_descriptors_are_warned_of_with_their_number() {
    let keys = TestKeys::new();
    for (limit, is_warned) in [("100", true), ("1024", false)] {
        let directory = tempfile::tempdir().unwrap();
        let plain = Program::command(&directory, &keys, &[]);
        let mut command = Command::new("bash");
        command.args(["-c", "ulimit -n $0 && exec \"$1\"", limit]).arg(plain.get_program());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).stderr(Stdio::piped());
        let text = log_of(command);
        assert_eq!(text.contains("few file descriptors") && text.contains("descriptors=100"), is_warned, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_revokes_nothing_is_logged_with_its_number() {
    let keys = TestKeys::new();
    let long = "9".repeat(5000);
    let events = format!(r#"{{"seq":17,"lid":7}},{{"seq":"{long}","what":1}}"#);
    let feed = FeedServer::start(move |_| Some(format!(r#"{{"next_seq":1,"events":[{events}]}}"#))).await;
    let directory = tempfile::tempdir().unwrap();
    let url = feed.url();
    let settings =
        [("PULSE_RELAY_LICENSE_SERVER_URL", url.as_str()), ("PULSE_RELAY_REVOCATION_FEED_TOKEN", "feed-token")];
    let mut command = Program::command(&directory, &keys, &settings);
    command.stderr(Stdio::piped());
    let text = tokio::task::spawn_blocking(move || log_of(command)).await.unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("revokes nothing")).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("seq=\"17\"") && lines[1].len() < 500, "{lines:?}");
}
