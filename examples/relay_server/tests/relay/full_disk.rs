//! A disk without room. A limit of the size of files stands for it: a write gets as far as it goes, and fails then.

use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::common::{Client, TestKeys, register, status_of};
use crate::program::Program;

/// The program under a limit of the size of files, in KiB.
fn limited(directory: &tempfile::TempDir, keys: &TestKeys, limit: &str) -> Command {
    let plain = Program::command(directory, keys, &[]);
    let mut command = Command::new("bash");
    // What is ignored stays so in the program: the signal of the limit would end it.
    command.args(["-c", "trap '' XFSZ && ulimit -S -f $0 && exec \"$1\"", limit]).arg(plain.get_program());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stderr(Stdio::null());
    command
}

async fn registered(program: &Program, host: &str, keys: &TestKeys, identity: &str) -> (Client, String) {
    let mut instance = Client::connect_to(program.addr, "/ws/instance").await;
    instance.say(&register(&keys.lease(host, 3600), "h", identity), 0).await;
    let bytes = instance.next().await.unwrap();
    (instance, String::from_utf8_lossy(&bytes).into_owned())
}

/// A piece of a line stayed, the next line was glued to it when there was room again, and the relay never started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_a_full_disk_cut_off_is_read_when_there_was_room_again() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap().to_owned();
    let mut program = Program::started(limited(&directory, &keys, "1"), tempfile::tempdir().unwrap());
    let mut connected = Vec::new();
    for number in 0..8 {
        connected.push(registered(&program, &format!("t-{number}.example.test"), &keys, "key").await);
    }
    let journal = std::fs::read_to_string(directory.path().join("holds.jsonl")).unwrap();
    assert!(journal.lines().count() < 8, "the limit was not met: {journal}");
    let unlimited = Rlimit { current: None, maximum: None };
    prlimit(Some(Pid::from_child(&program.child)), Resource::Fsize, unlimited).unwrap();
    connected.push(registered(&program, "t-9.example.test", &keys, "key").await);
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    let again = Program::start(&keys, &[("PULSE_RELAY_DATA_DIR", &path)], Stdio::null());
    assert_eq!(status_of(again.addr, "/healthz").await, 200);
    for host in ["t-0.example.test", "t-9.example.test"] {
        let (_, answer) = registered(&again, host, &keys, "another key").await;
        assert!(answer.contains("DUPLICATE_INSTANCE"), "{host}: {answer}");
    }
}

/// Everything was written but what the limit kept out: a drain is the last chance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_disk_kept_out_is_written_at_the_end() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut program = Program::started(limited(&directory, &keys, "1"), tempfile::tempdir().unwrap());
    let mut connected = Vec::new();
    for number in 0..8 {
        connected.push(registered(&program, &format!("t-{number}.example.test"), &keys, "key").await);
    }
    let unlimited = Rlimit { current: None, maximum: None };
    prlimit(Some(Pid::from_child(&program.child)), Resource::Fsize, unlimited).unwrap();
    // Those that stay connected until the end are written again then; those that were lost in between are not.
    program.signal(rustix::process::Signal::TERM);
    assert!(program.child.wait().unwrap().success());
    let journal = std::fs::read_to_string(directory.path().join("holds.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 8, "it was not rewritten: {journal}");
}

/// "File too large (os error 27)" named no setting.
#[test]
fn a_start_without_room_names_the_directory_and_its_setting() {
    let (keys, directory) = (TestKeys::new(), tempfile::tempdir().unwrap());
    let output = limited(&directory, &keys, "0").stderr(Stdio::piped()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.contains("PULSE_RELAY_DATA_DIR") && last.contains(directory.path().to_str().unwrap()), "{text}");
}
