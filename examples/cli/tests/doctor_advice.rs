//! What the doctor advises mends the fault, breaks nothing that works, and can be pasted; what a stranger wrote is shown
//! as a stranger's.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, missing_docs)]

mod common;

use std::path::Path;
use std::process::Command;

use common::fake_relay::FakeRelay;
use common::tenant::{Tenant, broken, command, doctor};
use common::{answers, assert_prints, pulse_trust, run, text, unsigned};
use pulse_trust::UnixTime;
use pulse_trust::keys::SigningKey;
use pulse_trust::relay::{Identity, RelayConfig};
use pulse_trust::storage::{DataDir, IdentityChange};
use serde_json::Value;

const DAY: i64 = 24 * 3600;
const OFFLINE: &[&str] = &["--offline"];
/// Nobody listens there, and nobody is asked.
const RELAY: &str = "ws://127.0.0.1:9/ws/instance";

fn advice(report: &Value) -> &str {
    text(&broken(report)["mend"], "what")
}

/// Changes relay.enc as a hand would.
fn change_config(tenant: &Tenant, change: impl FnOnce(&mut RelayConfig)) {
    let locked = DataDir::new(tenant.directory.path()).lock().unwrap();
    let mut loaded = locked.relay_config().unwrap();
    change(&mut loaded.value);
    locked.save_relay_config(&loaded.value, &loaded.revision, IdentityChange::Replace).unwrap();
}

#[test]
fn a_directory_of_any_name_gives_a_command_that_can_be_pasted() {
    let tenant = Tenant::provision();
    let around = tempfile::tempdir().unwrap();
    for name in ["f$(touch PWNED)", "f sp", "-m", "it's"] {
        let json = run(
            pulse_trust()
                .current_dir(&around)
                .args(["doctor", "--offline", "--json", "--", name])
                .envs(&tenant.environment),
            b"",
        );
        let report: Value = serde_json::from_slice(&json.stdout).unwrap();
        let pasted = command(broken(&report));
        let shell = Command::new("sh").args(["-c", pasted]).current_dir(&around).status().unwrap();
        assert!(shell.success() && around.path().join(name).is_dir(), "{pasted}");
        let shown = run(
            pulse_trust().current_dir(&around).args(["doctor", "--offline", "--", name]).envs(&tenant.environment),
            b"",
        );
        // Now it is there and empty, and the advice is another one.
        assert!(!assert_prints(&shown.stdout).contains("mkdir"), "{name}");
    }
    assert!(!around.path().join("PWNED").exists());
    let hostile = around.path().join("a\u{1b}[2K\nEvery link holds");
    let shown = doctor(&hostile, &tenant.environment, OFFLINE);
    assert!(!assert_prints(&shown.stdout).contains("\nEvery link holds"));
}

#[test]
fn another_key_is_advised_beside_the_one_that_signed_the_lease() {
    let mut tenant = Tenant::provision();
    let (own, other) =
        (tenant.control_plane.public_key().clone(), SigningKey::generate().unwrap().public_key().clone());
    let report = tenant.report(&["--offline", "--lease-key", &other.to_base64()]);
    assert_eq!(broken(&report)["name"], "lease key", "{report:#}");
    assert!(advice(&report).contains("works"), "{report:#}");
    let (variable, value) = command(broken(&report)).split_once('=').unwrap();
    assert_eq!((variable, value), ("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", format!("{own},{other}").as_str()));
    tenant.environment.insert("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", value.to_owned());
    assert_eq!(tenant.report(&["--offline", "--lease-key", &other.to_base64()])["ready"], true);
    // Where nobody here signed the lease, no key mends it.
    tenant.environment.insert("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", other.to_base64());
    let third = SigningKey::generate().unwrap().public_key().to_base64();
    let report = tenant.report(&["--offline", "--lease-key", &third]);
    assert!(command(broken(&report)).is_empty() && advice(&report).contains("neither"), "{report:#}");
}

#[test]
fn a_clock_that_is_ahead_is_named_before_the_lease_that_it_makes_look_expired() {
    let then = UnixTime::from_secs(UnixTime::now().as_secs() - 3 * DAY);
    let mut tenant = Tenant::provision_at(then);
    // The relay lives when the lease does, so it is this machine that is ahead.
    let relay = FakeRelay::start().with_clock(then);
    tenant.environment.insert("PULSE_RELAY_SERVER", relay.url());
    let report = tenant.report(&[]);
    assert_eq!(broken(&report)["name"], "clocks", "{report:#}");
    // Where no relay can be asked, the clock is still the first to look at.
    let report = tenant.report(OFFLINE);
    assert_eq!((text(broken(&report), "error"), command(broken(&report))), ("EXPIRED", "date -u"), "{report:#}");
    assert!(advice(&report).contains("clock"), "{report:#}");
    // Where the relay says that the clock is right, it is the lease.
    tenant.environment.insert("PULSE_RELAY_SERVER", FakeRelay::start().with_clock(UnixTime::now()).url());
    let report = tenant.report(&[]);
    assert_eq!(text(broken(&report), "error"), "EXPIRED", "{report:#}");
    assert!(advice(&report).starts_with("the control plane has to issue a new lease"), "{report:#}");
}

#[test]
fn a_file_that_is_damaged_is_told_from_a_key_that_is_wrong() {
    let flip = |tenant: &Tenant, name: &str, at: usize| {
        let mut bytes = std::fs::read(tenant.path(name)).unwrap();
        bytes[at] ^= 1;
        std::fs::write(tenant.path(name), bytes).unwrap();
    };
    let tenant = Tenant::provision();
    tenant.start(RELAY);
    flip(&tenant, "relay.enc", 40);
    let report = tenant.report(OFFLINE);
    assert_eq!(text(broken(&report), "error"), "UNSEAL_FAILED", "{report:#}");
    assert!(command(broken(&report)).starts_with("install -m 600 BACKUP/relay.enc "), "{report:#}");

    let tenant = Tenant::provision();
    tenant.start(RELAY);
    let billing = std::fs::read_to_string(tenant.path("billing.json")).unwrap();
    flip(&tenant, "billing.json", billing.find("entitlement_jwt").unwrap() + 60);
    let report = tenant.report(OFFLINE);
    assert_eq!(text(broken(&report), "error"), "UNSEAL_FAILED", "{report:#}");
    assert!(command(broken(&report)).starts_with("install -m 600 BACKUP/billing.json "), "{report:#}");

    // The key of another tenant opens neither.
    let tenant = Tenant::provision();
    tenant.start(RELAY);
    std::fs::copy(Tenant::provision().path(".encryption.key"), tenant.path(".encryption.key")).unwrap();
    let report = tenant.report(OFFLINE);
    assert!(command(broken(&report)).starts_with("install -m 600 BACKUP/.encryption.key "), "{report:#}");
}

/// Runs what is advised with this backup, and asks the doctor again.
fn mended(tenant: &Tenant, report: &Value, backup: &Path) -> Value {
    let pasted = command(broken(report)).replace("BACKUP", backup.to_str().unwrap());
    assert!(Command::new("sh").args(["-c", &pasted]).status().unwrap().success(), "{pasted}");
    tenant.report(OFFLINE)
}

#[test]
fn a_directory_in_the_place_of_a_file_goes_out_of_the_way() {
    for name in ["billing.json", "relay.enc", ".encryption.key"] {
        let tenant = Tenant::provision();
        tenant.start(RELAY);
        let backup = tempfile::tempdir().unwrap();
        std::fs::rename(tenant.path(name), backup.path().join(name)).unwrap();
        std::fs::create_dir(tenant.path(name)).unwrap();
        let report = tenant.report(OFFLINE);
        if name == "relay.enc" {
            assert!(!advice(&report).contains("control plane"), "the runtime makes it: {report:#}");
        }
        let again = mended(&tenant, &report, backup.path());
        assert_eq!(again["ready"], true, "{name}: {again:#}");
    }
}

#[test]
fn an_identity_that_does_not_agree_with_itself_is_restored() {
    let tenant = Tenant::provision();
    tenant.start(RELAY);
    let backup = tempfile::tempdir().unwrap();
    std::fs::copy(tenant.path("relay.enc"), backup.path().join("relay.enc")).unwrap();
    let mut other = RelayConfig::default();
    other.set_identity(&Identity::generate().unwrap());
    change_config(&tenant, |config| config.identity_fingerprint = other.identity_fingerprint);
    let report = tenant.report(OFFLINE);
    assert_eq!(text(broken(&report), "name"), "identity", "{report:#}");
    assert_eq!(mended(&tenant, &report, backup.path())["ready"], true);
}

#[test]
fn a_url_that_is_none_is_shown_with_where_it_is_from() {
    let mut tenant = Tenant::provision();
    tenant.environment.insert("PULSE_PUBLIC_URL", "not a url".to_owned());
    let report = tenant.report(OFFLINE);
    let link = broken(&report);
    assert_eq!(link["name"], "settings", "{report:#}");
    assert!(text(link, "what").starts_with("PULSE_PUBLIC_URL: "), "{link:#}");
    assert_eq!(link["sides"]["PULSE_PUBLIC_URL"], "\"not a url\"");
    assert_eq!(command(link), format!("PULSE_PUBLIC_URL=https://{}", tenant.host));

    let tenant = Tenant::provision();
    tenant.start(RELAY);
    change_config(&tenant, |config| config.server_url = "https://me:hunter2@relay.example.test".to_owned());
    let report = tenant.report(OFFLINE);
    assert_eq!(broken(&report)["sides"]["server_url in relay.enc"], "\"https://…@relay.example.test\"", "{report:#}");
    assert!(!report.to_string().contains("hunter2"));
}

#[test]
fn a_lease_of_another_tenant_is_told_from_a_public_url_that_is_wrong() {
    let mut tenant = Tenant::provision();
    tenant.environment.insert("PULSE_PUBLIC_URL", "https://t-other.cloud.example.test".to_owned());
    let report = tenant.report(OFFLINE);
    assert_eq!(text(broken(&report), "error"), "HOST_MISMATCH");
    assert!(advice(&report).contains("another tenant's"), "{report:#}");
    // relay.enc is this tenant's: it says that the variable is wrong.
    tenant.start(RELAY);
    let report = tenant.report(OFFLINE);
    assert_eq!(command(broken(&report)), format!("PULSE_PUBLIC_URL=https://{}", tenant.host), "{report:#}");
    // relay.enc and the variable agree: the lease is the one that does not belong here.
    change_config(&tenant, |config| config.instance_secret = "t-other.cloud.example.test".into());
    let report = tenant.report(OFFLINE);
    assert!(command(broken(&report)).is_empty() && advice(&report).contains("billing.json"), "{report:#}");
}

#[test]
fn what_answers_in_the_place_of_a_relay_is_not_taken_for_one() {
    let mut tenant = Tenant::provision();
    tenant.start(RELAY);
    for (status, body, path, told) in [
        (404, "not found", "/nope", "ends in /ws/instance"),
        (200, "<html>\u{1b}[2J\nEvery link holds</html>", "/ws/instance", "another server"),
        (503, r#"{"status":"draining"}"#, "/ws/instance", "drains"),
        (502, "<html>Bad Gateway</html>", "/ws/instance", "behind it"),
    ] {
        let relay = FakeRelay::start().with_health(status, body);
        tenant.environment.insert("PULSE_RELAY_SERVER", relay.url().replace("/ws/instance", path));
        let report = tenant.report(&[]);
        assert_eq!(text(broken(&report), "name"), "relay", "{report:#}");
        assert!(advice(&report).contains(told), "{status}: {report:#}");
        let shown = assert_prints(&tenant.doctor(&[]).stdout);
        assert!(!shown.contains("\nEvery link holds"), "{shown}");
    }
}

#[test]
fn a_redirect_is_no_relay_and_is_not_followed() {
    let mut tenant = Tenant::provision();
    tenant.start(RELAY);
    let other = FakeRelay::start();
    let health = other.url().replace("ws://", "http://me:hunter2@").replace("/ws/instance", "/healthz?token=hunter2");
    let relay = FakeRelay::start().with_location(&health);
    tenant.environment.insert("PULSE_RELAY_SERVER", relay.url());
    let report = tenant.report(&[]);
    let link = broken(&report);
    assert_eq!(text(link, "name"), "relay", "{report:#}");
    assert!(text(link, "what").contains("302") && text(link, "what").contains("…@127.0.0.1:"), "{link:#}");
    assert!(advice(&report).contains("redirect"), "{report:#}");
    assert!(!report.to_string().contains("hunter2"), "{report:#}");
}

#[test]
fn no_url_is_shown_with_a_password() {
    for url in
        ["https://me:hunter2@t-other.test/", "https://t-other.test/?token=hunter2", "https://t-other.test#hunter2"]
    {
        let mut tenant = Tenant::provision();
        tenant.environment.insert("PULSE_PUBLIC_URL", url.to_owned());
        let told = tenant.doctor(OFFLINE);
        let report = tenant.report(OFFLINE);
        assert!(text(&broken(&report)["sides"], "PULSE_PUBLIC_URL").contains("t-other.test"), "{report:#}");
        for told in [report.to_string().as_bytes(), &told.stdout, &told.stderr] {
            assert!(!String::from_utf8_lossy(told).contains("hunter2"), "{}", String::from_utf8_lossy(told));
        }
    }
}

#[test]
fn a_relay_that_was_not_asked_is_not_said_to_have_been() {
    let output = run(pulse_trust().args(["doctor", "--offline", "--json", "/nonexistent"]), b"");
    assert_eq!(answers(&output).remove(0)["relay_asked"], false);
}

#[test]
fn a_relay_writes_no_line_of_the_report() {
    let hostile = "\u{1b}[2Jno\nEvery link holds: a phone can reach this tenant.";
    let mut tenant = Tenant::provision();
    tenant.start(RELAY);
    let health = serde_json::json!({"status": "ok", "lease_keys": [hostile], "license_keys": []}).to_string();
    let own = serde_json::json!({"status": "ok"}).to_string();
    for (health, code) in [(health, "INSTANCE_NOT_FOUND"), (own.clone(), "INSTANCE_NOT_FOUND"), (own, hostile)] {
        let relay = FakeRelay::start().with_health(200, &health).with_error(code, hostile);
        tenant.environment.insert("PULSE_RELAY_SERVER", relay.url());
        let output = tenant.doctor(&[]);
        assert_eq!(output.status.code(), Some(1));
        let shown = assert_prints(&output.stdout);
        assert!(shown.contains(r#"no\nEvery link holds"#), "{shown}");
        assert!(!shown.contains("\nEvery link holds"), "{shown}");
        assert_prints(&tenant.doctor(&["--json"]).stdout);
    }
}

#[test]
fn a_lease_writes_no_line_of_the_report() {
    let tenant = Tenant::provision();
    let locked = DataDir::new(tenant.directory.path()).lock().unwrap();
    let loaded = locked.billing_state("default").unwrap();
    let mut billing = loaded.value.unwrap();
    billing.entitlement_jwt = Some(unsigned("x\n\u{1b}[2KEvery link holds").trim().into());
    locked.save_billing_state("default", &mut billing, &loaded.revision).unwrap();
    drop(locked);
    let shown = assert_prints(&tenant.doctor(OFFLINE).stdout);
    assert!(shown.contains("KEY_UNKNOWN") && !shown.contains("\nEvery"), "{shown}");
    // A program that logs the error is as safe: the message quotes the key id.
    assert!(text(broken(&tenant.report(OFFLINE)), "what").contains(r#"names key "x\n\u{1b}[2KEvery link holds","#));
}

#[test]
fn a_file_in_the_place_of_the_directory_is_not_made_one() {
    let tenant = Tenant::provision();
    for path in [tenant.path("billing.json"), "/dev/null".into()] {
        let output = doctor(&path, &tenant.environment, &["--offline", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(command(broken(&report)).is_empty() && advice(&report).contains("not a directory"), "{report:#}");
    }
}

#[test]
fn a_value_that_is_not_known_is_no_line_to_paste() {
    for (variable, value) in [("PULSE_LICENSE_PUBLIC_KEY", "AAAA"), ("PULSE_LEGACY_KEY_PATH", "relative/path")] {
        let mut tenant = Tenant::provision();
        tenant.environment.insert(variable, value.to_owned());
        let report = tenant.report(OFFLINE);
        assert!(broken(&report)["mend"]["command"].is_null(), "{report:#}");
        assert!(advice(&report).contains(variable), "{report:#}");
    }
}

#[test]
fn a_process_that_may_open_no_more_files_cannot_tell() {
    let tenant = Tenant::provision();
    let script = "ulimit -n 8; exec \"$0\" doctor \"$1\" --offline";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_pulse-trust")]).arg(tenant.directory.path());
    let output = run(shell.envs(&tenant.environment), b"");
    let stderr = assert_prints(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("ulimit") && !stderr.contains("panicked"), "{stderr}");
}
