//! Every state of the key file beside every state of what may be sealed under it: a key that was there stays, no new key
//! is made over something that only a lost one opens, and no file is lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pulse_trust::storage::DataDir;

use crate::Settings;
use crate::faults::fast_folder;
use crate::jobs::Job;
use crate::report::Outcome;

type Content = Option<Vec<u8>>;

/// By name: a file's content, whether it needs the key, and whether it can be read with it.
struct Variants {
    place: &'static str,
    variants: Vec<(&'static str, Content, bool)>,
}

pub(crate) fn all(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let (keys, files) = (keys(), [relay(), billing("billing.json"), billing("orgs/acme/billing.json"), other()]);
    let mut case = 0;
    let folder = tempfile::tempdir_in(fast_folder()).expect("a folder");
    let counts: Vec<usize> = files.iter().map(|file| file.variants.len()).collect();
    for key in &keys {
        for combination in 0..counts.iter().product::<usize>() {
            let mut rest = combination;
            let chosen: Vec<_> = files
                .iter()
                .map(|file| {
                    let variant = &file.variants[rest % file.variants.len()];
                    rest /= file.variants.len();
                    (file.place, variant)
                })
                .collect();
            for job in [Job::Create, Job::Bootstrap, Job::Billing, Job::Organization] {
                case += 1;
                if settings.takes(case) {
                    let name = || {
                        let files: Vec<_> =
                            chosen.iter().map(|(place, variant)| format!("{place} {}", variant.0)).collect();
                        format!("{}, key {}, {}", job.name(), key.0, files.join(", "))
                    };
                    outcome.count(name, one(&folder.path().join("data"), job, key, &chosen));
                }
            }
        }
    }
    outcome
}

fn one(
    directory: &Path,
    job: Job,
    key: &(&'static str, Content),
    files: &[(&str, &(&'static str, Content, bool))],
) -> Result<(), String> {
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory.join("orgs/acme")).map_err(|error| error.to_string())?;
    if let Some(content) = &key.1 {
        fs::write(directory.join(".encryption.key"), content).map_err(|error| error.to_string())?;
    }
    for (place, (_, content, _)) in files {
        if let Some(content) = content {
            fs::write(directory.join(place), content).map_err(|error| error.to_string())?;
        }
    }
    let before = contents(directory);
    let needs_key = files.iter().any(|(_, variant)| variant.2);
    let done = job.run(directory);
    let after = contents(directory);
    match (before.get(".encryption.key"), after.get(".encryption.key")) {
        (Some(before), after) if Some(before) != after => return Err("the key file was changed".to_owned()),
        (None, Some(_)) if needs_key => return Err(format!("a new key over sealed files: {done:?}")),
        _ => {}
    }
    // A file that could not be read before is as it was; one that could still can.
    for (name, content) in &before {
        let Some(now) = after.get(name) else { return Err(format!("{name} is gone: {done:?}")) };
        if now != content && !reads(directory, name) {
            return Err(format!("{name} was changed and cannot be read: {done:?}"));
        }
        let is_damaged = files.iter().any(|(place, variant)| place == name && variant.0 == "damaged");
        if is_damaged && now != content {
            return Err(format!("{name} was damaged, and was replaced: {done:?}"));
        }
    }
    Ok(())
}

fn reads(directory: &Path, name: &str) -> bool {
    let Ok(locked) = DataDir::new(directory).lock() else { return false };
    match name {
        "relay.enc" => locked.relay_config().is_ok(),
        "billing.json" => locked.billing_state("default").is_ok(),
        _ => locked.billing_state("acme").is_ok(),
    }
}

fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = [".encryption.key", "relay.enc", "billing.json", "orgs/acme/billing.json", "nodes.enc"];
    names.into_iter().filter_map(|name| Some((name.to_owned(), fs::read(directory.join(name)).ok()?))).collect()
}

/// Files that the library makes under one key.
fn made() -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir_in(fast_folder()).expect("a folder");
    let directory = folder.path().join("data");
    Job::Billing.prepare(&directory);
    Job::Bootstrap.run(&directory).expect("it starts");
    Job::Organization.run(&directory).expect("it saves");
    contents(&directory)
}

thread_local! {
    static MADE: BTreeMap<String, Vec<u8>> = made();
}

fn content(name: &str) -> Vec<u8> {
    MADE.with(|made| made[name].clone())
}

fn keys() -> Vec<(&'static str, Content)> {
    let right = content(".encryption.key");
    let other = made()[".encryption.key"].clone();
    vec![
        ("right", Some(right.clone())),
        ("of another directory", Some(other)),
        ("absent", None),
        ("empty", Some(Vec::new())),
        ("cut", Some(right[..20].to_vec())),
        ("too long", Some([right.clone(), right].concat())),
    ]
}

fn relay() -> Variants {
    let whole = content("relay.enc");
    let mut damaged = whole.clone();
    damaged[20] ^= 1;
    let variants = vec![
        ("absent", None, false),
        ("sealed", Some(whole.clone()), true),
        ("damaged", Some(damaged), true),
        ("cut", Some(whole[..10].to_vec()), true),
        ("empty", Some(Vec::new()), true),
        ("plain", Some(b"{\"server_url\":\"wss://plain.example.test\"}".to_vec()), false),
    ];
    Variants { place: "relay.enc", variants }
}

fn billing(place: &'static str) -> Variants {
    let whole = content(place);
    let text = String::from_utf8(whole.clone()).expect("JSON");
    let variants = vec![
        ("absent", None, false),
        ("sealed", Some(whole), true),
        ("damaged", Some(text.replacen("\"integrity\":\"", "\"integrity\":\"0", 1).into_bytes()), true),
        ("without its code", Some(text.replacen("\"integrity\"", "\"integritx\"", 1).into_bytes()), true),
        ("plain", Some(b"{\"plan_version\":\"cloud_starter\"}".to_vec()), false),
        ("not JSON", Some(b"{\"plan".to_vec()), true),
    ];
    Variants { place, variants }
}

fn other() -> Variants {
    let variants = vec![
        ("absent", None, false),
        ("sealed", Some(content("relay.enc")), true),
        ("plain", Some(b"{}".to_vec()), false),
    ];
    Variants { place: "nodes.enc", variants }
}
