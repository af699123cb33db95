//! Many at once, in processes of their own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::Settings;
use crate::check::State;
use crate::faults::fast_folder;
use crate::jobs::Job;
use crate::report::Outcome;
use crate::victim::{End, end};

fn spawn(settings: &Settings, job: Job, directory: &Path, report: &Path) -> Child {
    settings.victim.command(job, directory).arg(report).spawn().expect("a victim")
}

fn end_of(child: &mut Child) -> Result<End, String> {
    child.wait().map_err(|error| error.to_string()).and_then(end)
}

/// All first starts see the one identity that the files then hold.
pub(crate) fn first_starts(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    for round in 0..(10 / settings.every).max(1) {
        let folder = tempfile::tempdir_in(fast_folder()).expect("a folder");
        let directory = folder.path().join("data");
        Job::Bootstrap.prepare(&directory);
        outcome.count(|| format!("round {round}"), starts(settings, &directory, folder.path(), 64, || ()));
    }
    outcome
}

fn starts(
    settings: &Settings,
    directory: &Path,
    reports: &Path,
    count: usize,
    meanwhile: impl FnOnce(),
) -> Result<(), String> {
    let report = |index: usize| reports.join(format!("report-{index}"));
    let mut children: Vec<Child> =
        (0..count).map(|index| spawn(settings, Job::Bootstrap, directory, &report(index))).collect();
    meanwhile();
    let mut seen = BTreeSet::new();
    for (index, child) in children.iter_mut().enumerate() {
        match end_of(child)? {
            End::Done => seen.insert(fs::read_to_string(report(index)).map_err(|error| error.to_string())?),
            other => return Err(format!("{other:?}: {}", fs::read_to_string(report(index)).unwrap_or_default())),
        };
    }
    seen.insert(State::read(directory)?.config["identity_fingerprint"].as_str().unwrap_or_default().to_owned());
    if seen.len() == 1 { Ok(()) } else { Err(format!("{} identities", seen.len())) }
}

/// No change is lost, and every reader reads.
pub(crate) fn writers_and_readers(settings: &Settings) -> Outcome {
    const ROUNDS: usize = 25;
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir_in(fast_folder()).expect("a folder");
    let directory = folder.path().join("data");
    Job::Increment.prepare(&directory);
    let rounds = (ROUNDS / settings.every).max(3);
    for round in 0..rounds {
        let jobs = [Job::Increment; 8].into_iter().chain([Job::Read; 4]);
        let mut children: Vec<(usize, Child)> = jobs
            .enumerate()
            .map(|(index, job)| {
                (index, spawn(settings, job, &directory, &folder.path().join(format!("report-{index}"))))
            })
            .collect();
        for (index, child) in &mut children {
            let result = end_of(child).and_then(|end| match end {
                End::Done => Ok(()),
                _ => Err(fs::read_to_string(folder.path().join(format!("report-{index}"))).unwrap_or_default()),
            });
            outcome.count(|| format!("round {round}, process {index}"), result);
        }
    }
    let result = State::read(&directory).and_then(|state| {
        let expected = (rounds * 8).to_string();
        if state.config["server_url"] == *expected {
            Ok(())
        } else {
            Err(format!("{} of {expected}", state.config["server_url"]))
        }
    });
    outcome.count(|| "all changes".to_owned(), result);
    outcome
}

/// Somebody deletes the lock file again and again: no first start sees another identity than the one that stays.
pub(crate) fn deleted_locks(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    for round in 0..(40 / settings.every).max(4) {
        let folder = tempfile::tempdir_in(fast_folder()).expect("a folder");
        let directory = folder.path().join("data");
        Job::Bootstrap.prepare(&directory);
        let lock = directory.join(".pulse-trust.lock");
        let is_over = AtomicBool::new(false);
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let _ = fs::remove_file(&lock);
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            let result = starts_with_deletions(settings, &directory, folder.path());
            is_over.store(true, Ordering::Relaxed);
            result
        });
        outcome.count(|| format!("round {round}"), result);
    }
    outcome
}

/// A start whose lock was deleted may say so; one that succeeds has the identity that stays.
fn starts_with_deletions(settings: &Settings, directory: &Path, reports: &Path) -> Result<(), String> {
    let report = |index: usize| reports.join(format!("report-{index}"));
    let mut children: Vec<Child> =
        (0..6).map(|index| spawn(settings, Job::Bootstrap, directory, &report(index))).collect();
    let mut seen = BTreeSet::new();
    for (index, child) in children.iter_mut().enumerate() {
        if end_of(child)? == End::Done {
            seen.insert(fs::read_to_string(report(index)).map_err(|error| error.to_string())?);
        }
    }
    let last = State::read(directory)?.config["identity_fingerprint"].as_str().unwrap_or_default().to_owned();
    if seen.iter().all(|identity| *identity == last) { Ok(()) } else { Err(format!("{seen:?}, but {last} stays")) }
}

/// The path of a data directory leads now here, now there: each keeps its key and its files.
pub(crate) fn flipped_directories(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir_in(fast_folder()).expect("a folder");
    let (first, second, path) = (folder.path().join("a"), folder.path().join("b"), folder.path().join("data"));
    for directory in [&first, &second] {
        Job::Increment.prepare(directory);
    }
    let before = [&first, &second].map(|directory| State::read(directory).expect("it can be read"));
    std::os::unix::fs::symlink(&first, &path).expect("a link");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for target in [&second, &first].into_iter().cycle() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let next = folder.path().join("next");
                let _ = std::os::unix::fs::symlink(target, &next).and_then(|()| fs::rename(&next, &path));
            }
        });
        for round in 0..(200 / settings.every).max(20) {
            let report = folder.path().join("report");
            let result = end_of(&mut spawn(settings, Job::Increment, &path, &report)).and_then(|end| {
                for (directory, before) in [&first, &second].into_iter().zip(&before) {
                    let now = State::read(directory)?;
                    let identity = |state: &State| state.config["identity_private_key"].clone();
                    if now.key != before.key || identity(&now) != identity(before) {
                        return Err(format!("{}: another key or identity", directory.display()));
                    }
                }
                if end == End::Done { Ok(()) } else { Err(fs::read_to_string(&report).unwrap_or_default()) }
            });
            outcome.count(|| format!("round {round}"), result);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    outcome
}
