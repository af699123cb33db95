//! Every bit of `activation.enc`, `license.enc` and `.license-key` is turned, and each is cut everywhere: what was there is read,
//! or refused and left alone; and a suspension stays, whatever is damaged.

use std::fs;
use std::path::Path;

use pulse_trust::hosted::registration_credential;
use pulse_trust::storage::{DataDir, LockedDataDir};

use crate::Settings;
use crate::faults::Fixture;
use crate::jobs::{Job, NOW, runtime};
use crate::report::Outcome;
use crate::sealing::{license_key, seal_text};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const ACTIVATION: &str = r#"{"installation_id":"inst_1","grant_jwt":"a.b.c","paid_access_suspended":true}"#;
const LICENSE: &str = r#"{"license_key":"d.e.f","grace_period_end":1800000000}"#;

pub(crate) fn all(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let fixture = Fixture::new(Job::Bootstrap);
    let directory = fixture.copy();
    // Without the activation the tenant has a lease to register with: there is something for a suspension to hold back.
    let offered = |locked: &LockedDataDir| registration_credential(locked.reader(), &runtime(), NOW).offered();
    let locked = DataDir::new(&directory).lock().expect("it can be locked");
    assert!(offered(&locked).is_some(), "the lease is offered");
    let key = license_key(KEY);
    for (name, content) in [
        (".license-key", KEY.to_owned()),
        ("activation.enc", seal_text(key, ACTIVATION)),
        ("license.enc", seal_text(key, LICENSE)),
    ] {
        fs::write(directory.join(name), content).expect("it can be written");
    }
    let before = read(&locked);
    assert!(before == [Ok("a.b.c true".to_owned()), Ok("d.e.f Some(1800000000)".to_owned())], "{before:?}");
    assert!(offered(&locked).is_none(), "it is suspended");
    let mut case = 0;
    for name in ["activation.enc", "license.enc", ".license-key"] {
        let path = directory.join(name);
        let whole = fs::read(&path).expect("a file");
        for (what, damaged) in damages(&whole) {
            case += 1;
            if settings.takes(case) {
                let result = one(&locked, &path, &damaged, &before).and_then(|()| match offered(&locked) {
                    None => Ok(()),
                    Some(kind) => Err(format!("the suspension is lifted: {kind:?} is offered")),
                });
                outcome.count(|| format!("{name}, {what}"), result);
            }
        }
        fs::write(&path, &whole).expect("a file");
    }
    outcome
}

/// Each bit turned, then each shorter length.
fn damages(whole: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let bits = (0..whole.len() * 8).map(|at| {
        let mut damaged = whole.to_vec();
        damaged[at / 8] ^= 1 << (at % 8);
        (format!("byte {}, bit {}", at / 8, at % 8), damaged)
    });
    bits.chain((0..whole.len()).map(|length| (format!("cut to {length} bytes"), whole[..length].to_vec())))
}

fn one(
    locked: &LockedDataDir,
    path: &Path,
    damaged: &[u8],
    before: &[Result<String, String>; 2],
) -> Result<(), String> {
    fs::write(path, damaged).map_err(|error| error.to_string())?;
    for (now, before) in read(locked).iter().zip(before) {
        if now.is_ok() && now != before {
            return Err(format!("it was read as something else: {now:?}"));
        }
    }
    match fs::read(path).is_ok_and(|now| now == damaged) {
        true => Ok(()),
        false => Err("it was replaced".to_owned()),
    }
}

/// What the two files say; one that is absent says nothing, which no damage may make of it.
fn read(locked: &LockedDataDir) -> [Result<String, String>; 2] {
    let activation = locked.activation().map_err(|error| error.to_string()).map(|loaded| match loaded.value {
        None => "nothing".to_owned(),
        Some(activation) => format!("{} {}", activation.grant_jwt.expose_secret(), activation.paid_access_suspended),
    });
    let license = locked.license().map_err(|error| error.to_string()).map(|loaded| match loaded.value {
        None => "nothing".to_owned(),
        Some(license) => {
            let grace_end = license.grace_period_end.map(|end| end.as_secs());
            format!("{} {grace_end:?}", license.license_key.expose_secret())
        }
    });
    [activation, license]
}
