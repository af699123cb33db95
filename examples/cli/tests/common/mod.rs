//! The tool as a process, and the deployed vectors.
#![allow(dead_code, reason = "each test file uses its part of it")]

pub(crate) mod fake_relay;
pub(crate) mod tenant;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The tool, with nothing of the caller's environment that could change its answer.
pub(crate) fn pulse_trust() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulse-trust"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PULSE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end. It may end before it has read all of its input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// One JSON object a line.
pub(crate) fn answers(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a terminal gets, and no byte of it moves the cursor or starts a line of a stranger's.
pub(crate) fn assert_prints(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let odd = |character: char| {
        (character.is_control() && character != '\n') || ('\u{202a}'..='\u{202e}').contains(&character)
    };
    assert!(!text.contains(odd), "{text:?}");
    text
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

pub(crate) fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/deployed")
}

pub(crate) fn vector_file(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(vectors().join(name)).unwrap()).unwrap()
}

/// The cases of a list in a vector file; an empty list would test nothing.
pub(crate) fn cases<'a>(file: &'a Value, list: &str) -> &'a [Value] {
    let cases = file[list].as_array().unwrap();
    assert!(!cases.is_empty(), "{list} is empty");
    cases
}

/// A token that nobody signed, with this key id.
pub(crate) fn unsigned(kid: &str) -> String {
    let segment = |value: Value| base64url(value.to_string().as_bytes());
    let claims = serde_json::json!({"iss": "pulse-pro-entitlement-lease", "email": kid, "exp": 1});
    let header = serde_json::json!({"alg": "EdDSA", "kid": kid});
    format!("{}.{}.{}\n", segment(header), segment(claims), base64url(&[0; 64]))
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain(&[0; 2]).take(3).fold(0_u32, |group, byte| (group << 8) | u32::from(*byte));
        for digit in 0..=chunk.len() {
            let index = (group >> (18_usize.saturating_sub(digit.saturating_mul(6)))) & 63;
            text.push(char::from(DIGITS[usize::try_from(index).unwrap()]));
        }
    }
    text
}
