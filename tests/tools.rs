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
    let ours: Value = serde_json::from_str(&std::fs::read_to_string(vectors().join("../ours.json")).unwrap()).unwrap();
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let directory = copied(&vectors().join("tenants").join(name).join("before"));
        let had_config = directory.path().join("relay.enc").exists();
        let record = tempfile::tempdir().unwrap();
        let mut command = hosted_journey();
        command.arg("--data-dir").arg(directory.path()).arg("--record").arg(record.path());
        command.env("PULSE_HOSTED_MODE", case["hosted_mode"].to_string());
        command.env("PULSE_PUBLIC_URL", text(case, "expected_host"));
        command.env("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", text(&file, "hosted_public_key"));
        command.env("PULSE_LICENSE_PUBLIC_KEY", text(&file, "license_public_key"));
        command.env_remove("PULSE_RELAY_ENABLED").env_remove("PULSE_RELAY_SERVER");
        let output = run(&mut command, b"");
        let passes = ours["tenants"][name]["first_broken"].is_null();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.success(), passes, "{name}:\n{printed}");
        let evidence = records(record.path()).remove(0);
        assert_eq!(evidence["result"], if passes { "passed" } else { "blocked" }, "{name}");
        if !passes {
            assert_eq!(evidence["first_broken_link"], "runtime: readiness", "{name}:\n{printed}");
        }
        let says_fresh = printed.contains("PASSED: a fresh hosted tenant");
        assert_eq!(says_fresh, passes && !had_config, "{name}:\n{printed}");
        // The credential and the secrets of the config stay out of what is printed and recorded.
        let credentials = ["registration_credential", "ours_credential"].map(|member| text(case, member));
        for secret in credentials.into_iter().chain([text(&case["config"], "identity_private_key")]) {
            assert!(secret.is_empty() || !printed.contains(secret) && !evidence.to_string().contains(secret), "{name}");
        }
    }
}

/// The records of a directory in JSON, in the order of their names.
fn records(directory: &std::path::Path) -> Vec<Value> {
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

/// `ws://0.0.0.0` and the machine's own name were taken for another machine, a second run for the first one, and its
/// record replaced the first record.
#[test]
fn a_relay_on_this_machine_is_no_external_one_by_whatever_name_and_serves_twice_in_a_row() {
    let key = pulse_trust::keys::SigningKey::generate().unwrap();
    let lease = pulse_trust::keys::TrustKeySet::new([key.public_key().clone()]);
    let keys = pulse_trust::keys::TrustKeys::for_leases(lease);
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut config = pulse_relay::Config::on_loopback(keys, data.path());
    config.addr = "0.0.0.0:0".to_owned();
    let relay = tokio.block_on(pulse_relay::Relay::start(config)).unwrap();
    let port = relay.local_addr().port();
    let record = tempfile::tempdir().unwrap();
    let private = key.secret_base64();
    let journey = |host: &str| {
        let mut command = hosted_journey();
        command.args(["--relay", &format!("ws://{host}:{port}/ws/instance"), "--record"]).arg(record.path());
        command.args(["--signing-key", private.expose_secret()]);
        run(&mut command, b"")
    };
    for _ in 0..2 {
        let output = journey("127.0.0.1");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let output = journey("0.0.0.0");
    let records = records(record.path());
    assert_eq!(records.len(), 3, "{}", String::from_utf8_lossy(&output.stdout));
    for evidence in &records {
        assert_eq!(evidence["evidence_tier"], "managed-runtime-exercise");
        assert!(
            text(evidence, "supersedes").starts_with("nothing; cloud-hosted-tier-runtime-readiness-blocked-2026-03-25")
        );
        assert!(text(&evidence["environment"], "Relay").ends_with("(this machine)"), "{evidence:#}");
        assert!(!evidence.to_string().contains(private.expose_secret()));
        // Nothing of the live system was exercised, so no step is done.
        let steps = evidence["unblock_steps"].as_array().unwrap();
        assert_eq!(steps.len(), 5);
        assert!(steps.iter().all(|step| step["done"] == false), "{steps:#?}");
    }
    let first = &records[0];
    assert_eq!(first["metrics"]["before"]["pulse_relay_app_sessions"], 0);
    assert_eq!(first["metrics"]["phone_connected"]["pulse_relay_app_sessions"], 1);
    let facts = first["blocking_facts"].as_array().unwrap();
    assert_eq!(facts.len(), 7);
    assert!(facts.iter().all(|fact| text(fact, "now").starts_with("does not hold in this exercise")), "{facts:#?}");
    let fact_4 = facts[3]["evidence"][0]["seen"].as_str().unwrap();
    assert!(fact_4.contains(&key.public_key().log_fingerprint()), "{fact_4}");
    drop(relay);
}

#[test]
fn a_directory_that_is_not_there_is_no_tenant() {
    let output = run(hosted_journey().args(["--data-dir", "/nonexist"]), b"");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(
        printed.contains("BLOCKED at the first broken link: control plane: billing.json: /nonexist is missing"),
        "{printed}"
    );
}
