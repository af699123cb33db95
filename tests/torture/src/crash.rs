//! What a power failure may leave, after ALICE (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014): from
//! the record of a job's system calls, every state of the disk that they allow. Data that was not synced may be missing
//! or half there; changes of a directory that was not synced may have happened or not, each by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::Settings;
use crate::check::check;
use crate::faults::{Fixture, copy_directory};
use crate::jobs::Job;
use crate::report::Outcome;
use crate::trace::{self, Call, unescape, unescape_bytes};
use crate::victim::End;

/// One call that changes the disk, or makes a change durable.
#[derive(Debug, Clone)]
enum Step {
    Create { directory: PathBuf, name: String, file: usize },
    MakeDirectory { directory: PathBuf, name: String },
    Write { file: usize, bytes: Vec<u8> },
    Rename { directory: PathBuf, from: String, to: String },
    Remove { directory: PathBuf, name: String },
    SyncFile { file: usize },
    SyncDirectory { directory: PathBuf },
}

pub(crate) fn states(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    for job in Job::ALL {
        let fixture = Fixture::new(job);
        match steps_of(settings, &fixture) {
            Ok(steps) => {
                for (name, result) in explore(&fixture, &steps) {
                    outcome.count(|| format!("{}, {name}", job.name()), result);
                }
            }
            Err(error) => outcome.count(|| format!("{job:?}"), Err(error)),
        }
    }
    outcome
}

/// Without any one of the syncs, some state must be found to lose something: else the sync is of no use, or this bench
/// does not see what it is for.
pub(crate) fn each_fsync_is_needed(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    for job in Job::ALL {
        let fixture = Fixture::new(job);
        let steps = match steps_of(settings, &fixture) {
            Ok(steps) => steps,
            Err(error) => {
                outcome.count(|| format!("{job:?}"), Err(error));
                continue;
            }
        };
        let is_sync = |step: &Step| matches!(step, Step::SyncFile { .. } | Step::SyncDirectory { .. });
        for at in (0..steps.len()).filter(|at| is_sync(&steps[*at])) {
            // Where a plain file comes back it is read, and sealed again: nothing is lost.
            if job == Job::Migrate && matches!(steps[at], Step::SyncDirectory { .. }) {
                continue;
            }
            let mut without = steps.clone();
            let removed = without.remove(at);
            let is_noticed = explore(&fixture, &without).into_iter().any(|(_, result)| result.is_err());
            let result = if is_noticed { Ok(()) } else { Err("nothing is lost without it".to_owned()) };
            outcome.count(|| format!("{}, {removed:?}", job.name()), result);
        }
    }
    outcome
}

fn steps_of(settings: &Settings, fixture: &Fixture) -> Result<Vec<Step>, String> {
    let directory = fixture.copy();
    let calls = trace::record(&settings.victim, fixture.job, &directory)?;
    let root = directory.canonicalize().map_err(|error| error.to_string())?;
    Ok(Reader { root, files: 0, open: BTreeMap::new() }.read(&calls))
}

/// Follows the descriptors of a record.
struct Reader {
    root: PathBuf,
    files: usize,
    /// Files that were made, by descriptor.
    open: BTreeMap<String, usize>,
}

impl Reader {
    fn read(mut self, calls: &[Call]) -> Vec<Step> {
        calls.iter().filter(|call| !call.result.starts_with('-')).filter_map(|call| self.step(call)).collect()
    }

    fn step(&mut self, call: &Call) -> Option<Step> {
        let parts: Vec<&str> = call.arguments.split(", ").collect();
        let (descriptor, _) = parts.first()?.split_once('<').unwrap_or((parts.first()?, ""));
        match call.name.as_str() {
            "openat" => {
                let opened = call.result.split('<').next()?.trim().to_owned();
                self.open.remove(&opened);
                let directory = self.below(parts[0])?;
                if !parts.get(2)?.contains("O_CREAT") {
                    return None;
                }
                self.files += 1;
                self.open.insert(opened, self.files);
                Some(Step::Create { directory, name: text(parts[1]), file: self.files })
            }
            "close" => {
                self.open.remove(descriptor);
                None
            }
            "write" => {
                let file = *self.open.get(descriptor)?;
                Some(Step::Write { file, bytes: unescape_bytes(parts[1].trim_matches('"')) })
            }
            "fsync" | "fdatasync" => match self.open.get(descriptor) {
                Some(file) => Some(Step::SyncFile { file: *file }),
                None => self.below(parts[0]).map(|directory| Step::SyncDirectory { directory }),
            },
            "renameat" | "renameat2" => {
                Some(Step::Rename { directory: self.below(parts[0])?, from: text(parts[1]), to: text(parts[3]) })
            }
            "unlinkat" => Some(Step::Remove { directory: self.below(parts[0])?, name: text(parts[1]) }),
            "mkdirat" => Some(Step::MakeDirectory { directory: self.below(parts[0])?, name: text(parts[1]) }),
            _ => None,
        }
    }

    /// The path of a descriptor, relative to the data directory; `None` where it is elsewhere.
    fn below(&self, shown: &str) -> Option<PathBuf> {
        let path = shown.split_once('<')?.1.trim_end_matches('>');
        Path::new(&unescape(path)).strip_prefix(&self.root).ok().map(Path::to_owned)
    }
}

fn text(shown: &str) -> String {
    unescape(shown.trim_matches('"'))
}

/// How much of the data that was not synced is there.
const PARTS: [(&str, usize); 3] = [("all", 1), ("half", 2), ("none", usize::MAX)];

/// Every state after every step, each checked once.
fn explore(fixture: &Fixture, steps: &[Step]) -> Vec<(String, Result<(), String>)> {
    let mut results = Vec::new();
    let mut seen = BTreeSet::new();
    let folder = tempfile::tempdir_in(crate::faults::fast_folder()).expect("a folder");
    for done in 0..=steps.len() {
        let pending = pending_changes(&steps[..done]);
        // So many changes that are not durable do not come together in one job.
        let subsets = 1_usize << pending.len().min(12);
        for subset in 0..subsets {
            for (part, divisor) in PARTS {
                let lost = |at: usize| {
                    pending.iter().position(|change| *change == at).is_some_and(|bit| subset >> bit & 1 == 0)
                };
                let disk = Disk::after(&fixture.original(), &steps[..done], lost, divisor);
                let is_end = done == steps.len();
                if !seen.insert((is_end, disk.clone())) {
                    continue;
                }
                let directory = folder.path().join("disk");
                disk.write(&fixture.original(), &directory);
                let end = if is_end { End::Done } else { End::Killed };
                let name = format!(
                    "after step {done} of {}, changes {subset:b} of {}, {part} of the data",
                    steps.len(),
                    pending.len()
                );
                results.push((name, check(fixture.job, &fixture.before, &directory, end)));
            }
        }
    }
    results
}

/// The changes of directories, by their step, that nothing has made durable.
fn pending_changes(steps: &[Step]) -> Vec<usize> {
    let mut pending: Vec<(usize, &PathBuf)> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Create { directory, .. }
            | Step::MakeDirectory { directory, .. }
            | Step::Rename { directory, .. }
            | Step::Remove { directory, .. } => pending.push((at, directory)),
            Step::SyncDirectory { directory } => pending.retain(|(_, changed)| *changed != directory),
            Step::Write { .. } | Step::SyncFile { .. } => {}
        }
    }
    pending.into_iter().map(|(at, _)| at).collect()
}

/// A state of the disk: what was made or removed of the directory that the job began from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Disk {
    /// By path: `None` where it is gone.
    files: BTreeMap<PathBuf, Option<Vec<u8>>>,
    directories: BTreeSet<PathBuf>,
}

impl Disk {
    fn after(original: &Path, steps: &[Step], is_lost: impl Fn(usize) -> bool, divisor: usize) -> Self {
        let mut disk = Self { files: BTreeMap::new(), directories: BTreeSet::new() };
        let (data, synced) = contents(steps);
        let content = |file: usize| {
            let (all, synced) = (data.get(&file).cloned().unwrap_or_default(), synced.get(&file).copied().unwrap_or(0));
            let kept = synced + (all.len() - synced) / divisor;
            all[..kept].to_vec()
        };
        // A rename moves the file that had the name when it was called, whatever became of that name on the disk.
        let mut named: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (at, step) in steps.iter().enumerate() {
            match step {
                Step::Create { directory, name, file } => {
                    named.insert(directory.join(name), *file);
                    if !is_lost(at) {
                        disk.files.insert(directory.join(name), Some(content(*file)));
                    }
                }
                Step::Rename { directory, from, to } => {
                    let moved = named.remove(&directory.join(from));
                    if let Some(file) = moved {
                        named.insert(directory.join(to), file);
                        if !is_lost(at) {
                            disk.files.insert(directory.join(from), None);
                            disk.files.insert(directory.join(to), Some(content(file)));
                        }
                    }
                }
                Step::Remove { directory, name } if !is_lost(at) => {
                    disk.files.insert(directory.join(name), None);
                }
                Step::MakeDirectory { directory, name }
                    if !is_lost(at) && !original.join(directory).join(name).exists() =>
                {
                    disk.directories.insert(directory.join(name));
                }
                _ => {}
            }
        }
        // What is in a directory that is not there is not there.
        let is_there = |path: &PathBuf| {
            path.ancestors()
                .skip(1)
                .filter(|above| !above.as_os_str().is_empty())
                .all(|above| disk.directories.contains(above) || original.join(above).is_dir())
        };
        let files = disk.files.iter().filter(|(path, _)| is_there(path)).map(|(p, c)| (p.clone(), c.clone())).collect();
        let directories = disk.directories.iter().filter(|path| is_there(path)).cloned().collect();
        Self { files, directories }
    }

    fn write(&self, original: &Path, to: &Path) {
        copy_directory(original, to);
        for directory in &self.directories {
            let _ = fs::create_dir(to.join(directory));
            fs::set_permissions(to.join(directory), fs::Permissions::from_mode(0o700)).expect("its mode");
        }
        for (path, content) in &self.files {
            let path = to.join(path);
            match content {
                Some(content) => {
                    fs::write(&path, content).expect("a file");
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
                }
                None => {
                    let _ = fs::remove_file(&path);
                }
            }
        }
    }
}

/// What was written to each new file, and how much of it was synced.
fn contents(steps: &[Step]) -> (BTreeMap<usize, Vec<u8>>, BTreeMap<usize, usize>) {
    let (mut data, mut synced) = (BTreeMap::<usize, Vec<u8>>::new(), BTreeMap::new());
    for step in steps {
        match step {
            Step::Write { file, bytes } => data.entry(*file).or_default().extend_from_slice(bytes),
            Step::SyncFile { file } => {
                synced.insert(*file, data.get(file).map_or(0, Vec::len));
            }
            _ => {}
        }
    }
    (data, synced)
}
