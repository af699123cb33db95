//! Whether secrets decide what the processor does. Valgrind is told that they are uninitialized memory, as ctgrind does, and
//! reports each branch and each address that depends on them:
//!
//! ```sh
//! tests/constant_time/run.sh
//! ```
//!
//! What the protocol publishes is published here too: public keys, signatures, sealed texts. Two answers no caller can be
//! spared: whether a shared secret is zero, which is one branch, and whether a tag is right, which is two: AES-GCM's own,
//! and that of the channel on what AES-GCM answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod valgrind;

use std::hint::black_box;
use std::process::ExitCode;

use pulse_trust::Secret;
use pulse_trust::keys::{PublicKey, SigningKey};
use pulse_trust::relay::{AppHandshake, Channel, Identity, danger_accept_with_ephemeral_secret};
use valgrind::{errors, hide, publish};

type Job = fn();

fn main() -> ExitCode {
    if !valgrind::is_running() {
        eprintln!("run it by tests/constant_time/run.sh: it says nothing without valgrind");
        return ExitCode::FAILURE;
    }
    // How many branches on those answers a job has at most; a control has any number, and must be found.
    let jobs: [(&str, Job, Option<usize>); 8] = [
        ("secrets are compared, the same", compare_the_same, Some(0)),
        ("secrets are compared, the first byte differs", compare_others, Some(0)),
        ("a seed becomes a key, and signs", sign, Some(0)),
        ("keys are agreed on from ephemeral secrets", || drop(channels()), Some(2)),
        ("messages are sealed and opened", || seal_and_open(false), Some(2 + 2)),
        ("a forged message is refused", || seal_and_open(true), Some(2 + 2)),
        ("the control: a comparison that ends early", compare_early, None),
        ("the control: a table that is read at a secret place", look_up, None),
    ];
    let mut failures = 0;
    for (name, job, answers) in jobs {
        let before = errors();
        job();
        let found = errors() - before;
        let holds = answers.map_or(found > 0, |answers| found <= answers);
        println!("{} {name}: {found} reports", if holds { "ok    " } else { "FAILED" });
        failures += u32::from(!holds);
    }
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// 32 bytes that are secret to valgrind.
fn hidden(value: u8) -> [u8; 32] {
    let mut bytes = [value; 32];
    hide(&mut bytes);
    bytes
}

fn hidden_text(text: &str) -> Secret {
    let mut bytes = text.as_bytes().to_vec();
    hide(&mut bytes);
    // SAFETY: they are the bytes of a text; a check would branch on them.
    Secret::from(unsafe { String::from_utf8_unchecked(bytes) })
}

fn compare(one: &Secret, other: &Secret) -> bool {
    let is_same = black_box(one == other);
    publish(&is_same);
    is_same
}

fn compare_the_same() {
    assert!(compare(&hidden_text("etr_hosted_0123456789"), &hidden_text("etr_hosted_0123456789")), "they are the same");
}

fn compare_others() {
    assert!(!compare(&hidden_text("etr_hosted_0123456789"), &hidden_text("Etr_hosted_0123456789")), "they differ");
}

fn sign() {
    let key = SigningKey::from_seed(&hidden(3)).unwrap();
    let public = *key.public_key().as_bytes();
    publish(&public);
    let signature = black_box(key.sign(b"message"));
    publish(&signature);
    assert!(PublicKey::from_bytes(&public).unwrap().verify(b"message", &signature), "it verifies");
}

/// Both ends of a channel, whose ephemeral secrets are hidden.
fn channels() -> (Channel, Channel) {
    let identity = Identity::generate().unwrap();
    let app = AppHandshake::danger_with_ephemeral_secret(hidden(5));
    publish(app.message());
    let (instance, answer) = danger_accept_with_ephemeral_secret(app.message(), &identity, hidden(6)).unwrap();
    publish(answer.as_slice());
    (app.finish(&answer, identity.public_key()).unwrap(), instance)
}

fn seal_and_open(is_forged: bool) {
    let (mut app, mut instance) = channels();
    let mut text = *b"GET /api/status, which is a secret too";
    hide(&mut text);
    let mut sealed = app.seal(&text).unwrap();
    publish(sealed.as_slice());
    if is_forged {
        sealed[20] ^= 1;
    }
    let opened = instance.open(&sealed);
    assert_eq!(opened.is_err(), is_forged, "{is_forged}");
}

/// What this library must not do: the time says how many bytes are right.
fn compare_early() {
    let (one, other) = (hidden(1), hidden(1));
    let is_same = black_box(&one).iter().zip(black_box(&other)).all(|(a, b)| black_box(a) == black_box(b));
    publish(&is_same);
    assert!(is_same, "they are the same");
}

/// What this library must not do: the cache says which place was read.
fn look_up() {
    let table = black_box([7_u8; 256]);
    let place = usize::from(hidden(1)[0]);
    let read = black_box(table.get(black_box(place)).copied());
    publish(&read);
    assert_eq!(read, Some(7), "it is read");
}
