//! Every bit of every file is turned, and every file is cut everywhere: the library reads what was there before, or
//! refuses; it never reads something else, and never replaces what it refuses.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::Settings;
use crate::check::State;
use crate::faults::Fixture;
use crate::jobs::Job;
use crate::report::Outcome;

pub(crate) fn all(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let fixture = Fixture::new(Job::Billing);
    // A directory with everything in it.
    let directory = fixture.copy();
    Job::Bootstrap.run(&directory).expect("it starts");
    Job::Organization.run(&directory).expect("it saves");
    let before = State::read(&directory).expect("it can be read");
    let mut case = 0;
    for name in ["relay.enc", ".encryption.key", "billing.json", "orgs/acme/billing.json"] {
        let path = directory.join(name);
        let whole = fs::read(&path).expect("a file");
        for at in 0..whole.len() {
            for bit in 0..8 {
                case += 1;
                if settings.takes(case) {
                    let mut damaged = whole.clone();
                    damaged[at] ^= 1 << bit;
                    outcome
                        .count(|| format!("{name}, byte {at}, bit {bit}"), one(&directory, &path, &damaged, &before));
                }
            }
            case += 1;
            if settings.takes(case) {
                outcome.count(|| format!("{name}, cut to {at} bytes"), one(&directory, &path, &whole[..at], &before));
            }
        }
        fs::write(&path, &whole).expect("a file");
    }
    outcome
}

fn one(directory: &Path, path: &Path, damaged: &[u8], before: &State) -> Result<(), String> {
    fs::write(path, damaged).map_err(|error| error.to_string())?;
    match State::read(directory) {
        // Payment ids, meters and members that nobody knows are covered by no code: a change of them is read.
        Ok(now) if covered(&now) != covered(before) => Err(format!("it was read as something else: {now:?}")),
        Ok(_) => Ok(()),
        Err(_) => match fs::read(path).is_ok_and(|now| now == damaged) {
            true => Ok(()),
            false => Err("it was refused, and replaced".to_owned()),
        },
    }
}

fn covered(state: &State) -> Vec<serde_json::Value> {
    let mut values = vec![state.config.clone()];
    for billing in [&state.billing, &state.organization].into_iter().flatten() {
        let names = ["capabilities", "limits", "plan_version", "subscription_state", "trial_started_at", "integrity"];
        // A member that is missing is an empty one.
        let is_empty = |value: &serde_json::Value| *value == json!([]) || *value == json!({}) || *value == json!("");
        let value = |name: &str| Some(billing[name].clone()).filter(|value| !is_empty(value)).unwrap_or_default();
        values.extend(names.into_iter().map(value));
    }
    values
}
