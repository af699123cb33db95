//! `pulse-trust lease` as a user runs it, over the deployed tokens and over its own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod common;

use common::{answers, assert_prints, cases, pulse_trust, run, text, unsigned, vector_file};
use serde_json::Value;

/// Both halves of a key pair, made by the tool.
fn key_pair() -> (String, String) {
    let key: Value =
        serde_json::from_slice(&run(pulse_trust().args(["lease", "keygen", "--json"]), b"").stdout).unwrap();
    (text(&key, "private_key").to_owned(), text(&key, "public_key").to_owned())
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_deployed_lease_gets_its_verdict() {
    let file = vector_file("leases.json");
    for case in cases(&file, "cases") {
        let mut command = pulse_trust();
        command.args(["lease", "verify", "--json", "--lease-key", text(&file, "hosted_public_key")]);
        command.args(["--license-key", text(&file, "license_public_key"), "--now", &case["now"].to_string()]);
        if !text(case, "expected_host").is_empty() {
            command.args(["--host", text(case, "expected_host")]);
        }
        let output = run(&mut command, format!("{}\n", text(case, "token")).as_bytes());
        let answers = answers(&output);
        let stricter = case["stricter"].as_str().is_some_and(|why| !why.contains("it verifies"));
        let accepted = text(case, "verify_error").is_empty() && !stricter;
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0]["accepted"], accepted, "{case}");
        assert_eq!(output.status.code(), Some(i32::from(!accepted)));
        if accepted {
            let mut shown = case["verified_claims"].clone();
            // A credential, which no screen shows.
            shown.as_object_mut().unwrap().remove("provider_license");
            assert_eq!(answers[0]["claims"], shown);
            assert!(text(&answers[0], "instance_id").starts_with("relay_"));
        } else {
            assert!(answers[0]["error"]["code"].is_u64() && !text(&answers[0]["error"], "message").is_empty());
        }
    }
}

#[test]
fn what_is_signed_verifies_and_can_be_inspected_without_a_key() {
    let (private, public) = key_pair();
    let lease = ["--host", "t-1.example.test"];
    let license = ["--license-id", "lic_1", "--email", "a@example.test"];
    let grant = ["--license-id", "lic_1", "--installation-id", "inst_1"];
    for (kind, flags) in [("lease", &lease[..]), ("license", &license), ("grant", &grant)] {
        let mut sign = pulse_trust();
        sign.env("PULSE_SIGNING_KEY", &private).args(["lease", "sign", "--kind", kind]).args(flags);
        let signed = run(&mut sign, b"");
        assert!(signed.status.success(), "{kind}: {}", stderr(&signed));
        let keys = ["--lease-key", &public, "--license-key", &public];
        let verified = run(pulse_trust().args(["lease", "verify", "--json"]).args(keys), &signed.stdout);
        let verified = answers(&verified).remove(0);
        assert!(verified["accepted"] == true && verified["kind"] == kind, "{verified}");
        assert_eq!(verified["grants_relay"], true, "{verified}");
        for (keys, standing) in [(&keys[..], "valid"), (&[], "unverified")] {
            let inspected = run(pulse_trust().args(["lease", "inspect", "--json"]).args(keys), &signed.stdout);
            assert_eq!(answers(&inspected)[0]["standing"], standing);
        }
        let shown = run(pulse_trust().args(["lease", "inspect"]), &signed.stdout);
        assert!(String::from_utf8_lossy(&shown.stdout).contains("UNVERIFIED"));
    }
}

#[test]
fn sign_refuses_what_its_receiver_would_not_take() {
    let (private, public) = key_pair();
    let host = ["--host", "t-1.example.test"];
    let sign = |arguments: &[&str]| run(pulse_trust().args(["lease", "sign"]).args(host).args(arguments), b"");
    for (arguments, hint) in [
        (&["--key", &private, "--state", "actve"][..], "Did you mean active?"),
        (&["--key", &private, "--plan", "cloud_stater"], "Did you mean cloud_starter?"),
        (&["--key", &private, "--ttl", "-5"], "expected a positive number of seconds, received -5"),
        (&["--key", &public], "this is a public key"),
        (&["--key", "no key"], "KEY_ENCODING"),
        (&[], "--key"),
    ] {
        let refused = sign(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&refused).contains(hint), "{arguments:?}: {}", stderr(&refused));
        assert!(!stderr(&refused).contains(&private), "a private key was printed");
    }
    let expired = r#"{"org_id":"default","instance_host":"t-1.example.test","exp":1000000000}"#;
    let sign_claims = |arguments: &[&str]| {
        run(pulse_trust().args(["lease", "sign", "--key", &private, "--claims", expired]).args(arguments), b"")
    };
    assert!(stderr(&sign_claims(&[])).contains("would have expired"));
    let as_is = sign(&["--key", &private, "--state", "actve", "--as-is"]);
    assert!(as_is.status.success());
    assert!(stderr(&as_is).contains("does not grant relay"), "{}", stderr(&as_is));
    let verified = run(pulse_trust().args(["lease", "verify", "--lease-key", &public]), &as_is.stdout);
    assert!(verified.status.success());
    assert!(String::from_utf8_lossy(&verified.stdout).contains("does not grant relay"));
    let required = ["lease", "verify", "--lease-key", &public, "--require", "relay"];
    assert_eq!(run(pulse_trust().args(required), &as_is.stdout).status.code(), Some(1));
}

#[test]
fn many_tokens_are_answered_in_order_with_a_summary() {
    let (private, public) = key_pair();
    let mut sign = pulse_trust();
    sign.args(["lease", "sign", "--key", &private, "--host", "t-1.example.test"]);
    let token = String::from_utf8(run(&mut sign, b"").stdout).unwrap();
    let token = token.trim();
    let forged = token.replacen('.', ".e", 1);
    let long = "a".repeat(40_000);
    let input: String =
        (0..9_000).map(|index| if index % 1000 == 7 { format!("{forged}\n") } else { format!("{token}\n") }).collect();
    let input = format!("{input}{long}\n");
    let verify = |arguments: &[&str]| {
        run(pulse_trust().args(["lease", "verify", "--lease-key", &public]).args(arguments), input.as_bytes())
    };
    let output = verify(&["--json"]);
    let verdicts = answers(&output);
    assert_eq!(verdicts.len(), 9_001);
    for (index, verdict) in verdicts.iter().enumerate() {
        assert_eq!(verdict["line"], index + 1);
        assert_eq!(verdict["accepted"], index % 1000 != 7 && index < 9_000, "line {}", index + 1);
    }
    assert!(text(&verdicts[9_000]["error"], "message").contains("40000"), "{}", verdicts[9_000]);
    assert!(stderr(&output).starts_with("9001 tokens: 8991 valid, 10 refused"), "{}", stderr(&output));
    let quiet = verify(&["--quiet"]);
    assert_eq!(quiet.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&quiet.stdout).starts_with("9001 tokens: 8991 valid, 10 refused"));
}

#[test]
fn a_file_is_one_token_and_its_line_end_does_not_count() {
    let (private, public) = key_pair();
    let mut sign = pulse_trust();
    sign.args(["lease", "sign", "--key", &private, "--host", "t-1.example.test"]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, run(&mut sign, b"").stdout).unwrap();
    let verify = |arguments: &[&str]| {
        let mut command = pulse_trust();
        command.args(["lease", "verify", "--lease-key", &public, "--file"]).arg(&path).args(arguments);
        run(&mut command, b"").status.code()
    };
    assert_eq!(verify(&[]), Some(0));
    assert_eq!(verify(&["--exact"]), Some(1), "a token has one spelling, without a line end");
    let token = std::fs::read_to_string(&path).unwrap();
    for (spelling, accepted) in
        [(token.trim().to_owned(), 0), (format!("{} \n", token.trim()), 1), ("\n".to_owned(), 1)]
    {
        let verified = run(pulse_trust().args(["lease", "verify", "--lease-key", &public]), spelling.as_bytes());
        assert_eq!(verified.status.code(), Some(accepted), "{spelling:?}");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(verify(&[]), Some(3), "a file that cannot be read says nothing about its token");
}

#[test]
fn a_key_file_is_private_and_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control-plane.key");
    let keygen = || run(pulse_trust().args(["lease", "keygen", "--out"]).arg(&path), b"");
    let made = keygen();
    assert!(made.status.success());
    let secret = std::fs::read_to_string(&path).unwrap();
    assert!(!String::from_utf8_lossy(&made.stdout).contains(secret.trim()), "the private key was printed");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(keygen().status.code(), Some(3));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), secret);
    let signed = run(pulse_trust().args(["lease", "sign", "--host", "t-1.example.test", "--key-file"]).arg(&path), b"");
    assert!(signed.status.success(), "{}", stderr(&signed));
}

#[test]
fn verify_without_a_key_or_a_token_is_never_a_success() {
    let without_key = run(pulse_trust().args(["lease", "verify"]), b"a.b.c\n");
    assert_eq!(without_key.status.code(), Some(2));
    let (_, public) = key_pair();
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    for arguments in [
        &["verify", "--lease-key", &public][..],
        &["verify", "--lease-key", &public, "--file", empty],
        &["inspect"],
        &["inspect", "--file", empty],
    ] {
        let output = run(pulse_trust().arg("lease").args(arguments), b"");
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(stderr(&output).contains("no token was given"), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
#[cfg(unix)]
fn a_reader_that_has_read_enough_ends_the_tool_quietly() {
    use std::io::{Read, Write};
    let (_, public) = key_pair();
    let mut command = pulse_trust();
    command.args(["lease", "verify", "--lease-key", &public]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // The tool may stop reading: that is what is tested.
        (0..200_000).take_while(|_| input.write_all(b"a.b.c\n").is_ok()).count()
    });
    let mut first = [0; 16];
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut first).unwrap();
    drop(output);
    let ended = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", stderr(&ended));
    assert_eq!(stderr(&ended), "");
}

#[test]
fn a_token_writes_no_line_of_the_answer() {
    let (_, public) = key_pair();
    let token = unsigned("x\n\u{1b}[1A\u{1b}[2Kvalid lease for evil; grants relay\n\u{9b}2J\u{202e}");
    for arguments in [
        &["verify", "--lease-key", &public][..],
        &["verify", "--lease-key", &public, "--json"],
        &["inspect"],
        &["inspect", "--lease-key", &public],
        &["inspect", "--json"],
    ] {
        let output = run(pulse_trust().arg("lease").args(arguments), token.as_bytes());
        let shown = assert_prints(&output.stdout);
        assert!(shown.contains("valid lease for evil"), "{shown}");
        assert!(!shown.lines().any(|line| line.starts_with("valid")), "{shown}");
        assert_prints(&output.stderr);
    }
    // What is signed is shown so, too.
    let (private, public) = key_pair();
    let mut sign = pulse_trust();
    sign.args(["lease", "sign", "--kind", "license", "--license-id", "a\nvalid\u{1b}[2K", "--email", "a@example.test"]);
    let signed = run(sign.args(["--key", &private, "--capability", "b\nvalid\u{1b}[2K"]), b"");
    for command in ["verify", "inspect"] {
        let output = run(pulse_trust().args(["lease", command, "--license-key", &public]), &signed.stdout);
        let shown = assert_prints(&output.stdout);
        assert!(output.status.success() && shown.contains("b\\nvalid"), "{shown}");
        assert_eq!(shown.lines().filter(|line| line.starts_with("valid")).count(), usize::from(command == "verify"));
    }
}

#[test]
fn a_token_that_is_inspected_and_refused_is_no_success() {
    let (private, public) = key_pair();
    let sign = |arguments: &[&str]| {
        let mut command = pulse_trust();
        command.args(["lease", "sign", "--key", &private, "--host", "t-1.example.test"]).args(arguments);
        run(&mut command, b"").stdout
    };
    let inspect = |token: &[u8], arguments: &[&str]| {
        let output = run(pulse_trust().args(["lease", "inspect"]).args(arguments), token);
        (output.status.code(), assert_prints(&output.stdout))
    };
    let token = sign(&[]);
    assert_eq!(inspect(&token, &[]).0, Some(0), "nothing is asked of it");
    assert_eq!(inspect(&token, &["--lease-key", &public]).0, Some(0));
    let other = key_pair().1;
    let (status, shown) = inspect(&token, &["--lease-key", &other]);
    assert_eq!(status, Some(1));
    assert!(shown.contains("NOT VALID: ") && shown.contains("t-1.example.test"), "no other time helps: {shown}");
    assert_eq!(inspect(&token, &["--lease-key", &public, "--host", "t-2.example.test"]).0, Some(1));
    let (status, shown) = inspect(&sign(&["--now", "1700000000"]), &["--lease-key", &public]);
    assert!(status == Some(1) && shown.contains("NOT VALID now: "), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_device_without_an_end_is_read_only_as_far_as_a_token_goes() {
    let (_, public) = key_pair();
    let verified = run(pulse_trust().args(["lease", "verify", "--lease-key", &public, "--file", "/dev/zero"]), b"");
    assert_eq!(verified.status.code(), Some(1));
    let shown = assert_prints(&verified.stdout);
    assert!(shown.contains("TOKEN_TOO_LARGE") && shown.contains("or what was read of it"), "{shown}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "x".repeat(100_000)).unwrap();
    let verified = run(pulse_trust().args(["lease", "verify", "--lease-key", &public, "--file"]).arg(path), b"");
    assert!(assert_prints(&verified.stdout).contains("100000 bytes"));
}
