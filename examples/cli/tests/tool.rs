//! What every command of the tool keeps to: help with examples, completions, manual pages, colors, exit status.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{pulse_trust, run};

fn stdout(arguments: &[&str]) -> String {
    let output = run(pulse_trust().args(arguments), b"");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_names_every_command_with_an_example() {
    let help = stdout(&["--help"]);
    for command in ["lease", "doctor", "demo", "relay", "completions", "man"] {
        assert!(help.contains(command), "{help}");
    }
    assert!(help.contains("Exit status: 0 accepted, 1 refused, 2 wrong usage, 3 cannot tell."));
    for command in ["keygen", "sign", "verify", "inspect"] {
        assert!(stdout(&["lease", command, "--help"]).contains("Example"), "{command}");
    }
    for command in ["doctor", "demo"] {
        assert!(stdout(&[command, "--help"]).contains("Example"), "{command}");
    }
    assert!(stdout(&["relay", "--help"]).contains("PULSE_RELAY_ADDR"));
    assert_eq!(stdout(&["--version"]), format!("pulse-trust {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_slip_of_the_fingers_gets_a_suggestion_and_status_2() {
    let output = run(pulse_trust().args(["lease", "verfy"]), b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("'verify'"));
}

#[test]
fn completions_and_manual_pages_are_made_of_the_arguments() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(stdout(&["completions", shell]).contains("keygen"), "{shell}");
    }
    let directory = tempfile::tempdir().unwrap();
    stdout(&["man", directory.path().to_str().unwrap()]);
    let page = std::fs::read_to_string(directory.path().join("pulse-trust-lease-verify.1")).unwrap();
    assert!(page.contains("--quiet") || page.contains("\\-\\-quiet"), "{page}");
}

#[test]
fn colors_appear_only_where_they_are_asked_for() {
    let colored = |name: &str| {
        let mut command = pulse_trust();
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env(name, "1").args(["lease", "inspect"]);
        run(&mut command, b"a.b.c\n").stdout.contains(&0x1b)
    };
    assert!(colored("CLICOLOR_FORCE"));
    assert!(!colored("NO_COLOR"));
    assert!(!colored("PULSE_NOTHING"), "a pipe gets no colors");
}

#[test]
fn clicolor_force_0_forces_nothing() {
    for arguments in [&["lease", "inspect"][..], &["lease", "verfy"], &["lease", "verify"]] {
        let mut command = pulse_trust();
        command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "0").args(arguments);
        let output = run(&mut command, b"a.b.c\n");
        common::assert_prints(&[output.stdout, output.stderr].concat());
    }
}

#[test]
fn the_prober_is_the_one_of_its_package() {
    let output = run(pulse_trust().args(["prober", "--help"]), b"");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("[NAME=]URL"));
    let output =
        run(pulse_trust().args(["prober", "--once", "--tenant", "/nonexistent", "--node", "ws://127.0.0.1:9"]), b"");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent"));
}

#[cfg(unix)]
#[test]
fn help_that_cannot_be_written_is_no_success() {
    for argument in ["--help", "--version", "help"] {
        let mut command = pulse_trust();
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command.arg(argument).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{argument}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be written"), "{argument}");
    }
}

#[test]
fn a_file_of_settings_that_is_not_there_is_named_with_its_flag() {
    let output = run(pulse_trust().args(["relay", "--config", "/nonexistent.toml"]), b"");
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.starts_with("--config: /nonexistent.toml: "), "{told}");
    let output = run(pulse_trust().arg("relay").env("PULSE_RELAY_CONFIG", "/nonexistent.toml"), b"");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("PULSE_RELAY_CONFIG: "), "{output:?}");
    assert_eq!(output.status.code(), Some(3));
}
