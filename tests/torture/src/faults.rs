//! Every system call of every job is the last, or fails.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Settings;
use crate::check::{State, check};
use crate::jobs::Job;
use crate::report::Outcome;
use crate::trace::{self, Call};
use crate::victim::end_of;

const ERRORS: [&str; 7] = ["EIO", "ENOSPC", "EACCES", "EROFS", "EMFILE", "EINTR", "EDQUOT"];
/// Calls that have nothing to do with the storage: memory, threads, signals, and the end.
const OTHERS: [&str; 27] = [
    "brk",
    "mmap",
    "munmap",
    "mprotect",
    "madvise",
    "mremap",
    "futex",
    "sched_yield",
    "sched_getaffinity",
    "nanosleep",
    "clock_nanosleep",
    "sigaltstack",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "tgkill",
    "getpid",
    "gettid",
    "clone",
    "clone3",
    "exit",
    "exit_group",
    "epoll_pwait",
    "poll",
    // Of Go's runtime, which ends the process where they fail.
    "epoll_create1",
    "epoll_ctl",
    "eventfd2",
];

/// A directory that a job begins from, its state, and copies of it.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    pub(crate) job: Job,
    pub(crate) before: State,
}

impl Fixture {
    pub(crate) fn new(job: Job) -> Self {
        let folder = tempfile::tempdir_in(fast_folder()).expect("a folder");
        let original = folder.path().join("original");
        job.prepare(&original);
        // Reading migrates: a copy is read.
        let copy = folder.path().join("copy");
        copy_directory(&original, &copy);
        let before = State::read(&copy).expect("the fixture can be read");
        Self { folder, job, before }
    }

    pub(crate) fn original(&self) -> PathBuf {
        self.folder.path().join("original")
    }

    /// A fresh copy, in the place of the last.
    pub(crate) fn copy(&self) -> PathBuf {
        let copy = self.folder.path().join("copy");
        copy_directory(&self.original(), &copy);
        copy
    }
}

/// In memory where there is such a place: most of the time goes into syncing otherwise.
pub(crate) fn fast_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

pub(crate) fn copy_directory(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).expect("a folder");
    fs::set_permissions(to, fs::metadata(from).expect("its mode").permissions()).expect("its mode");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copy with its mode");
        }
    }
}

pub(crate) fn kills(settings: &Settings) -> Outcome {
    inject(settings, &["signal=KILL"])
}

pub(crate) fn errors(settings: &Settings) -> Outcome {
    let faults: Vec<String> = ERRORS.iter().map(|error| format!("error={error}")).collect();
    inject(settings, &faults.iter().map(String::as_str).collect::<Vec<_>>())
}

fn inject(settings: &Settings, faults: &[&str]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut case = 0;
    for job in Job::ALL {
        let fixture = Fixture::new(job);
        let calls = match trace::record(&settings.victim, job, &fixture.copy()) {
            Ok(calls) => calls,
            Err(error) => {
                outcome.count(|| format!("{job:?}"), Err(error));
                continue;
            }
        };
        for call in calls.iter().filter(|call| !OTHERS.contains(&call.name.as_str())) {
            for fault in faults {
                case += 1;
                if settings.takes(case) {
                    let name = || format!("{}, {} {}, {fault}", job.name(), call.name, call.ordinal);
                    outcome.count(name, one(settings, &fixture, call, fault));
                }
            }
        }
    }
    outcome
}

fn one(settings: &Settings, fixture: &Fixture, call: &Call, fault: &str) -> Result<(), String> {
    let directory = fixture.copy();
    let injection = format!("inject={}:{fault}:when={}", call.name, call.ordinal);
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={}", call.name), "-e", &injection];
    let strace = strace.map(str::to_owned);
    let end = end_of(&mut settings.victim.command_under(&strace, fixture.job, &directory))?;
    check(fixture.job, &fixture.before, &directory, end)
}
