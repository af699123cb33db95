//! What is signed is what its receiver accepts, with the key and the flags that were meant; a key file stays whole.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, missing_docs)]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{answers, assert_prints, pulse_trust, run, text};
use pulse_trust::UnixTime;
use serde_json::{Value, json};

const HOST: &str = "t-1.example.test";

fn key_pair() -> (String, String) {
    let made = answers(&run(pulse_trust().args(["lease", "keygen", "--json"]), b"")).remove(0);
    (text(&made, "private_key").to_owned(), text(&made, "public_key").to_owned())
}

fn sign(private: &str, arguments: &[&str]) -> Output {
    run(pulse_trust().args(["lease", "sign"]).args(arguments).env("PULSE_SIGNING_KEY", private), b"")
}

fn stderr(output: &Output) -> String {
    assert_prints(&output.stderr)
}

#[test]
fn claims_that_no_receiver_accepts_are_refused_unless_they_are_meant() {
    let (private, _) = key_pair();
    let now = UnixTime::now().as_secs();
    let lease = json!({"org_id": "default", "instance_host": HOST, "exp": now + 3600});
    let license = json!({"lid": "lic_1", "email": "a@example.test", "tier": "pro"});
    let grant = json!({"lid": "lic_1", "iid": "inst_1", "tier": "pro", "st": "active", "exp": now + 3600});
    let with = |claims: &Value, name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    for (kind, claims, told) in [
        ("license", with(&license, "exp", json!(5)), "would have expired"),
        ("lease", with(&lease, "nbf", json!(now + 100_000)), "NOT_YET_VALID"),
        ("lease", with(&lease, "provider_license", json!("a.b.c")), "refuse it"),
        ("lease", with(&lease, "subscription_state", json!("bogus")), "subscription_state: expected one of"),
        ("lease", with(&lease, "plan_version", json!("nosuch")), "plan_version: expected one of"),
        ("license", with(&license, "tier", json!("bogus")), "tier: expected one of"),
        ("grant", with(&grant, "st", json!("actve")), "Did you mean active?"),
        ("lease", with(&lease, "instance_hots", json!(HOST)), "Did you mean instance_host?"),
        ("lease", with(&lease, "iss", json!("somebody")), "iss: every lease of this tool says"),
        ("lease", with(&lease, "aud", json!(["somebody"])), "aud: every lease of this tool says"),
        ("license", with(&license, "iss", json!("somebody")), "no claim \"iss\""),
    ] {
        let claims = claims.to_string();
        let arguments = ["--kind", kind, "--claims", &claims];
        let refused = sign(&private, &arguments);
        assert_eq!(refused.status.code(), Some(2), "{claims}");
        assert!(refused.stdout.is_empty() && stderr(&refused).contains(told), "{claims}: {}", stderr(&refused));
        let as_is = sign(&private, &[&arguments[..], &["--as-is"]].concat());
        assert!(as_is.status.success() && !as_is.stdout.is_empty(), "{claims}: {}", stderr(&as_is));
    }
    // What is not signed is told even then.
    let claims = with(&lease, "instance_hots", json!(HOST)).to_string();
    assert!(stderr(&sign(&private, &["--claims", &claims, "--as-is"])).contains("instance_hots"));
    // What a token says of itself can be signed again, and is not refused for what it leaves out.
    for (kind, claims) in [("lease", lease), ("license", license), ("grant", grant)] {
        let claims = with(&claims, "email", claims["email"].clone());
        let signed = sign(&private, &["--kind", kind, "--claims", &claims.to_string()]);
        assert!(signed.status.success(), "{kind}: {}", stderr(&signed));
        let shown = answers(&run(pulse_trust().args(["lease", "inspect", "--json"]), &signed.stdout)).remove(0);
        let again = sign(&private, &["--kind", kind, "--claims", &shown["claims"].to_string()]);
        assert_eq!(again.stdout, signed.stdout, "{kind}: {}", stderr(&again));
    }
}

#[test]
fn a_providers_lease_is_signed_under_its_license_alone() {
    let (server, _) = key_pair();
    let (provider, public) = key_pair();
    let license =
        json!({"lid": "lic_1", "email": "a@example.test", "tier": "msp", "entitlement_signing_public_key": public});
    let license = sign(&server, &["--kind", "license", "--claims", &license.to_string()]);
    let license = String::from_utf8(license.stdout).unwrap();
    let exp = UnixTime::now().as_secs() + 3600;
    let claims =
        json!({"org_id": "default", "instance_host": HOST, "exp": exp, "provider_license": license.trim()}).to_string();
    let signed = sign(&provider, &["--claims", &claims]);
    assert!(signed.status.success(), "{}", stderr(&signed));
    let refused = sign(&key_pair().0, &["--claims", &claims]);
    assert!(stderr(&refused).contains("entitlement_signing_public_key"), "{}", stderr(&refused));
}

#[test]
fn a_flag_without_effect_is_refused() {
    let (private, _) = key_pair();
    let claims = json!({"org_id": "default", "instance_host": HOST, "exp": 2_000_000_000}).to_string();
    for flag in ["--plan", "--org", "--state", "--email", "--capability", "--tier", "--installation-id"] {
        let refused = sign(&private, &["--claims", &claims, flag, "x"]);
        assert_eq!(refused.status.code(), Some(2), "{flag}");
        assert!(stderr(&refused).contains(flag), "{}", stderr(&refused));
    }
    // --now is the time at which the claims have to be valid.
    assert_eq!(sign(&private, &["--claims", &claims, "--now", "1999999999"]).status.code(), Some(0));
    assert_eq!(sign(&private, &["--claims", &claims, "--now", "2000000000"]).status.code(), Some(2));
    let license = ["--kind", "license", "--license-id", "lic_1", "--email", "a@example.test"];
    for flag in [["--plan", "cloud_starter"], ["--host", HOST], ["--installation-id", "x"], ["--org", "default"]] {
        let refused = sign(&private, &[&license[..], &flag].concat());
        assert_eq!(refused.status.code(), Some(2), "{flag:?}");
        assert!(stderr(&refused).contains(flag[0]), "{}", stderr(&refused));
    }
}

#[test]
fn a_key_file_counts_before_the_variable_and_a_message_names_the_source() {
    let (private, public) = key_pair();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    std::fs::write(&path, &private).unwrap();
    for variable in ["", "no key", &key_pair().0] {
        let signed = sign(variable, &["--host", HOST, "--key-file", path.to_str().unwrap()]);
        assert!(signed.status.success(), "{variable:?}: {}", stderr(&signed));
        let verified = run(pulse_trust().args(["lease", "verify", "--lease-key", &public]), &signed.stdout);
        assert!(verified.status.success(), "{variable:?}");
    }
    assert!(stderr(&sign("no key", &["--host", HOST])).contains("PULSE_SIGNING_KEY: "));
    assert!(stderr(&sign("no key", &["--host", HOST, "--key", "none"])).contains("--key: "));
    for (variable, flag) in
        [("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", "--lease-key"), ("PULSE_LICENSE_PUBLIC_KEY", "--license-key")]
    {
        let refused = run(pulse_trust().args(["lease", "verify"]).env(variable, "AAAA"), b"");
        assert!(stderr(&refused).contains(variable) && !stderr(&refused).contains(flag), "{}", stderr(&refused));
        let refused = run(pulse_trust().args(["lease", "verify", flag, "AAAA"]).env(variable, &public), b"");
        assert!(stderr(&refused).contains(flag) && !stderr(&refused).contains(variable), "{}", stderr(&refused));
    }
    // The variable counts where there is no flag, with all of its keys.
    let signed = sign(&private, &["--host", HOST]);
    let both = format!("{},{public}", key_pair().1);
    let mut verify = pulse_trust();
    verify.args(["lease", "verify"]).env("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", both);
    assert!(run(&mut verify, &signed.stdout).status.success());
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_used_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let (private, _) = key_pair();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    std::fs::write(&path, &private).unwrap();
    for (mode, warns) in [(0o600, false), (0o400, false), (0o644, true), (0o666, true), (0o640, true)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let signed = sign("", &["--host", HOST, "--key-file", path.to_str().unwrap()]);
        assert!(signed.status.success());
        assert_eq!(stderr(&signed).contains("wider than 0600"), warns, "{mode:o}: {}", stderr(&signed));
    }
}

/// keygen into this file.
fn keygen(path: &Path) -> Output {
    run(pulse_trust().args(["lease", "keygen", "--out"]).arg(path), b"")
}

#[cfg(unix)]
#[test]
fn a_key_that_cannot_be_written_leaves_no_file_in_the_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    // A file may grow to 0 bytes, as on a disk that is full.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" lease keygen --out \"$1\"";
    let mut shell = Command::new("sh");
    let failed = run(shell.args(["-c", script, env!("CARGO_BIN_EXE_pulse-trust")]).arg(&path), b"");
    assert_eq!(failed.status.code(), Some(3), "{}", stderr(&failed));
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0, "{}", stderr(&failed));
    assert!(keygen(&path).status.success());
}

#[test]
fn the_public_key_of_a_key_file_can_be_shown_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let made = keygen(&path);
    let refused = keygen(&path);
    assert_eq!(refused.status.code(), Some(3));
    assert!(stderr(&refused).contains("--public-of"), "{}", stderr(&refused));
    let shown = run(pulse_trust().args(["lease", "keygen", "--public-of"]).arg(&path), b"");
    assert!(shown.status.success());
    assert_eq!(String::from_utf8_lossy(&shown.stdout), String::from_utf8_lossy(&made.stdout));
    let json =
        answers(&run(pulse_trust().args(["lease", "keygen", "--json", "--public-of"]).arg(&path), b"")).remove(0);
    assert!(json["private_key"].is_null() && String::from_utf8_lossy(&made.stdout).contains(text(&json, "public_key")));
}

/// What a shell does with the tool, which is its `$0`.
#[cfg(unix)]
fn in_shell(script: &str, argument: &Path) -> Output {
    run(Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_pulse-trust")]).arg(argument), b"")
}

#[cfg(unix)]
#[test]
fn a_key_file_has_its_mode_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let made = in_shell("umask 0777; exec \"$0\" lease keygen --out \"$1\"", &path);
    assert!(made.status.success(), "{}", stderr(&made));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[cfg(unix)]
#[test]
fn a_private_key_is_not_made_for_nobody() {
    let nowhere = Path::new("/dev/null");
    for (output, told) in [(">&-", "no key is made"), (">/dev/null", "no key is made"), (">/dev/full", "may be lost")] {
        let made = in_shell(&format!("exec \"$0\" lease keygen {output}"), nowhere);
        assert_eq!(made.status.code(), Some(3), "{output}: {}", stderr(&made));
        assert!(stderr(&made).contains(told), "{output}: {}", stderr(&made));
    }
    // Whoever was to read it has ended.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let made = pulse_trust().args(["lease", "keygen"]).stdout(writer).output().unwrap();
    assert!(made.status.code() == Some(3) && stderr(&made).contains("may be lost"), "{}", stderr(&made));
    // A key in a file is not lost.
    let directory = tempfile::tempdir().unwrap();
    let made = in_shell("exec \"$0\" lease keygen --out \"$1\" >/dev/null", &directory.path().join("key"));
    assert!(made.status.success(), "{}", stderr(&made));
}

#[cfg(unix)]
#[test]
fn what_is_too_long_for_a_key_or_for_claims_is_said_to_be_longer_than_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    std::fs::write(&path, "A".repeat(5000)).unwrap();
    let shown = run(pulse_trust().args(["lease", "keygen", "--public-of"]).arg(&path), b"");
    assert_eq!(shown.status.code(), Some(2));
    assert!(stderr(&shown).contains("more than 1024 bytes long, at most 1024"), "{}", stderr(&shown));
    let (private, _) = key_pair();
    let claims = format!("{{\"email\":\"{}\"}}", "a".repeat(2_000_000));
    let signed = run(pulse_trust().args(["lease", "sign", "--key", &private, "--claims", "-"]), claims.as_bytes());
    assert_eq!(signed.status.code(), Some(2));
    assert!(stderr(&signed).contains("more than 65536 bytes long, at most 65536"), "{}", stderr(&signed));
}
