//! The examples as a user runs them: `lease` over the deployed tokens, `hosted_journey` over the deployed directories.
#![cfg(all(feature = "storage", feature = "qr"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod common;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use common::{cases, copied, vector_file, vectors};
use serde_json::Value;

/// An example, built as this test was: never a stale one.
fn example(name: &str) -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let directory = BUILT.get_or_init(|| {
        let this = std::env::current_exe().unwrap();
        let directory = this.parent().unwrap().parent().unwrap();
        let profile = directory.file_name().unwrap().to_str().unwrap().replace("debug", "dev");
        let target = directory.parent().unwrap().to_str().unwrap();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--all-features", "--example", "lease", "--example", "hosted_journey"]);
        let built = build.args(["--profile", &profile, "--target-dir", target]).status().unwrap();
        assert!(built.success(), "the examples do not build");
        directory.join("examples")
    });
    Command::new(directory.join(name))
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn answers(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lease_verify_answers_every_token_in_order() {
    let file = vector_file("leases.json");
    let ours: Value = serde_json::from_str(include_str!("vectors/ours.json")).unwrap();
    for case in cases(&file, "cases") {
        let mut command = example("lease");
        command.args(["verify", "--json", "--lease-key", text(&file, "hosted_public_key")]);
        command.args(["--license-key", text(&file, "license_public_key"), "--now", &case["now"].to_string()]);
        if !text(case, "expected_host").is_empty() {
            command.args(["--host", text(case, "expected_host")]);
        }
        let output = run(&mut command, format!("{}\n", text(case, "token")).as_bytes());
        let answers = answers(&output);
        let ours_refuses = ours["leases"][text(case, "name")]["verify"].as_str().is_some_and(|verify| verify != "ok");
        let accepted = text(case, "verify_error").is_empty() && !ours_refuses;
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0]["accepted"], accepted, "{case}");
        assert_eq!(output.status.code(), Some(i32::from(!accepted)));
        if accepted {
            assert_eq!(answers[0]["claims"], case["verified_claims"]);
            assert!(text(&answers[0], "instance_id").starts_with("relay_"));
        } else {
            assert!(answers[0]["code"].is_u64() && !text(&answers[0], "message").is_empty());
        }
    }
}

#[test]
fn lease_takes_lines_and_files_byte_for_byte() {
    let file = vector_file("licenses.json");
    let case = cases(&file, "cases").iter().find(|case| text(case, "error").is_empty()).unwrap();
    let token = text(case, "token");
    let verify = || {
        let mut command = example("lease");
        command.args(["verify", "--json", "--license-key", text(&file, "license_public_key")]);
        command.args(["--now", &case["now"].to_string()]);
        command
    };
    let long = "a".repeat(40_000);
    let input = format!("{token}\n{token} \n{token}\r\n\n{long}\n{token}");
    let accepted: Vec<bool> = answers(&run(&mut verify(), input.as_bytes()))
        .iter()
        .map(|answer| answer["accepted"].as_bool().unwrap())
        .collect();
    assert_eq!(accepted, [true, false, false, false, false, true]);
    let long = answers(&run(&mut verify(), format!("{long}\n").as_bytes())).remove(0);
    assert!(text(&long, "message").contains("40000"), "{long}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    for (content, accepted) in [(token.to_owned(), true), (format!("{token}\n"), false)] {
        std::fs::write(&path, content).unwrap();
        let output = run(verify().arg("--file").arg(&path), b"");
        assert_eq!(answers(&output)[0]["accepted"], accepted);
    }
    assert_eq!(run(example("lease").arg("verify"), b"").status.code(), Some(2));
}

#[test]
fn lease_signs_what_it_verifies() {
    let key: Value = serde_json::from_slice(&run(example("lease").args(["keygen", "--json"]), b"").stdout).unwrap();
    let (private, public) = (text(&key, "private_key"), text(&key, "public_key"));
    let lease = ["--host", "t-1.example.test"];
    let license = ["--license-id", "lic_1", "--email", "a@example.test"];
    let grant = ["--license-id", "lic_1", "--installation-id", "inst_1"];
    for (kind, flags) in [("lease", &lease[..]), ("license", &license), ("grant", &grant)] {
        let signed = run(example("lease").args(["sign", "--key", private, "--kind", kind]).args(flags), b"");
        assert!(signed.status.success(), "{kind}: {}", String::from_utf8_lossy(&signed.stderr));
        for command in ["verify", "inspect"] {
            let mut reading = example("lease");
            reading.args([command, "--json", "--lease-key", public, "--license-key", public]);
            let answer = answers(&run(&mut reading, &signed.stdout)).remove(0);
            assert!(answer["accepted"] == true && answer["kind"] == kind, "{kind}: {answer}");
        }
    }
}

#[test]
fn the_journey_passes_on_tenants_that_may_register_and_names_what_is_broken_on_the_others() {
    let file = vector_file("tenants.json");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let directory = copied(&vectors().join("tenants").join(name).join("before"));
        let record = tempfile::tempdir().unwrap();
        let mut command = example("hosted_journey");
        command.arg("--data-dir").arg(directory.path()).arg("--record").arg(record.path());
        command.env("PULSE_HOSTED_MODE", case["hosted_mode"].to_string());
        command.env("PULSE_PUBLIC_URL", text(case, "expected_host"));
        command.env("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", text(&file, "hosted_public_key"));
        command.env("PULSE_LICENSE_PUBLIC_KEY", text(&file, "license_public_key"));
        command.env_remove("PULSE_RELAY_ENABLED").env_remove("PULSE_RELAY_SERVER");
        let output = run(&mut command, b"");
        let credential = case.get("ours_credential").map_or_else(
            || if case.get("ours").is_some() { "" } else { text(case, "registration_credential") },
            |ours| ours.as_str().unwrap(),
        );
        let passes = case["config"]["enabled"] == true && !credential.is_empty();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.success(), passes, "{name}:\n{printed}");
        let json = std::fs::read_dir(record.path()).unwrap().flatten().map(|entry| entry.path());
        let json = json.into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
        let evidence: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
        assert_eq!(evidence["result"], if passes { "passed" } else { "blocked" }, "{name}");
        if !passes {
            assert_eq!(evidence["first_broken_link"], "runtime: readiness", "{name}:\n{printed}");
        }
        // The credential and the secrets of the config stay out of what is printed and recorded.
        for secret in [credential, text(&case["config"], "identity_private_key")] {
            assert!(secret.is_empty() || !printed.contains(secret) && !evidence.to_string().contains(secret), "{name}");
        }
    }
}
