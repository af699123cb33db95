//! Something else than a file in the place of each file: it is refused, not followed, not waited for, and stays.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use crate::Settings;
use crate::faults::Fixture;
use crate::jobs::Job;
use crate::report::Outcome;
use crate::victim::{End, end_of};

const PLACES: [&str; 9] = [
    "relay.enc",
    ".encryption.key",
    "billing.json",
    "activation.enc",
    "license.enc",
    ".license-key",
    ".pulse-trust.lock",
    "orgs",
    "orgs/acme",
];

type Make = fn(&Path, &Path);
const OBJECTS: [(&str, Make); 8] = [
    ("a link to a file", |path, outside| symlink(outside.join("file"), path).expect("a link")),
    ("a link to nothing", |path, _| symlink("nowhere", path).expect("a link")),
    ("a link to a directory", |path, outside| symlink(outside, path).expect("a link")),
    ("a link to itself", |path, _| symlink(path, path).expect("a link")),
    ("a directory", |path, _| fs::create_dir(path).expect("a directory")),
    ("a FIFO", |path, _| assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success())),
    ("a socket", |path, _| drop(UnixListener::bind(path).expect("a socket"))),
    ("a hard link to a file outside", |path, outside| fs::hard_link(outside.join("file"), path).expect("a link")),
];

pub(crate) fn all(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let mut case = 0;
    for job in Job::ALL {
        let fixture = Fixture::new(job);
        for place in PLACES {
            for (object, make) in OBJECTS {
                case += 1;
                if settings.takes(case) {
                    let name = || format!("{}, {object} as {place}", job.name());
                    outcome.count(name, one(settings, &fixture, place, make));
                }
            }
        }
    }
    outcome
}

fn one(settings: &Settings, fixture: &Fixture, place: &str, make: Make) -> Result<(), String> {
    let directory = fixture.copy();
    let outside = tempfile::tempdir_in(crate::faults::fast_folder()).map_err(|error| error.to_string())?;
    fs::write(outside.path().join("file"), "{}").map_err(|error| error.to_string())?;
    let path = directory.join(place);
    let _ = fs::remove_file(&path);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.parent().expect("a parent")).map_err(|error| error.to_string())?;
    make(&path, outside.path());
    let kind = |path: &Path| fs::symlink_metadata(path).map(|metadata| metadata.file_type());
    let before = kind(&path).map_err(|error| error.to_string())?;
    let end = end_of(&mut settings.victim.command(fixture.job, &directory))?;
    let after = kind(&path).map_err(|error| format!("it is gone: {error}"))?;
    let is_kept = before == after && before.is_fifo() == after.is_fifo() && before.is_socket() == after.is_socket();
    if !is_kept {
        return Err(format!("{end:?}: it was replaced"));
    }
    let names: Vec<_> = fs::read_dir(outside.path()).map_err(|error| error.to_string())?.flatten().collect();
    if names.len() != 1 || fs::read_to_string(outside.path().join("file")).ok().as_deref() != Some("{}") {
        return Err(format!("{end:?}: what is outside was changed"));
    }
    if end == End::Killed { Err("killed".to_owned()) } else { Ok(()) }
}
