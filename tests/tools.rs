//! The journey as a user runs it, over the deployed directories. The installed tool has its tests in examples/cli.
#![cfg(all(feature = "storage", feature = "qr"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod common;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use common::{cases, copied, vector_file, vectors};
use serde_json::Value;

/// The example, built as this test was: never a stale one.
fn hosted_journey() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let program = BUILT.get_or_init(|| {
        let this = std::env::current_exe().unwrap();
        let directory = this.parent().unwrap().parent().unwrap();
        let profile = directory.file_name().unwrap().to_str().unwrap().replace("debug", "dev");
        let target = directory.parent().unwrap().to_str().unwrap();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--all-features", "--example", "hosted_journey"]);
        let built = build.args(["--profile", &profile, "--target-dir", target]).status().unwrap();
        assert!(built.success(), "the example does not build");
        directory.join("examples/hosted_journey")
    });
    Command::new(program)
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[test]
fn the_journey_passes_on_tenants_that_may_register_and_names_what_is_broken_on_the_others() {
    let file = vector_file("tenants.json");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let directory = copied(&vectors().join("tenants").join(name).join("before"));
        let record = tempfile::tempdir().unwrap();
        let mut command = hosted_journey();
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
