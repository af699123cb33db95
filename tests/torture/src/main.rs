//! Breaks the storage of pulse-trust in every way that a machine can, and counts what is lost.
//!
//! `cargo run --release -p pulse-torture` runs everything; `-- --short` is for CI; `-- --victim PROGRAM` tests another
//! program that knows the same jobs (the Go engine's is `examples/go/cmd/torture`). Linux, with strace and a C compiler.
//!
//! The program is its own victim: `pulse-torture victim JOB DIRECTORY [REPORT]` does one job and says by its exit status
//! what came of it.

mod bits;
mod check;
mod crash;
mod faults;
mod fill;
mod jobs;
mod key_matrix;
mod license_bits;
mod objects;
mod preload;
mod races;
mod random;
mod report;
#[path = "../../common/sealing.rs"]
#[allow(dead_code, unreachable_pub, clippy::panic, reason = "this package seals the license files alone")]
mod sealing;
mod short_io;
mod trace;
mod victim;

use std::path::PathBuf;
use std::process::ExitCode;

use report::Report;
use victim::Victim;

/// How a run is told what to do.
pub(crate) struct Settings {
    /// One case in so many is run.
    pub(crate) every: usize,
    pub(crate) victim: Victim,
}

impl Settings {
    /// Whether this case is among those that are run.
    pub(crate) fn takes(&self, case: usize) -> bool {
        case.is_multiple_of(self.every)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "victim") {
        return victim::run(&arguments[1..]);
    }
    let is_short = arguments.iter().any(|argument| argument == "--short");
    let other =
        arguments.iter().position(|argument| argument == "--victim").map(|at| PathBuf::from(&arguments[at + 1]));
    let is_own = other.is_none();
    let victim =
        Victim::new(other.unwrap_or_else(|| std::env::current_exe().expect("this program has a path")), is_own);
    let settings = Settings { every: if is_short { 11 } else { 1 }, victim };
    let mut report = Report::default();
    report.add("a kill at every system call", || faults::kills(&settings));
    report.add("every system call fails, 7 errors each", || faults::errors(&settings));
    report.add("short reads and writes", || short_io::all(&settings));
    report.add("crash states after a power failure", || crash::states(&settings));
    report.add("each fsync is needed", || crash::each_fsync_is_needed(&settings));
    report.add("races: first starts", || races::first_starts(&settings));
    report.add("races: writers and readers", || races::writers_and_readers(&settings));
    report.add("races: deleted locks", || races::deleted_locks(&settings));
    report.add("races: flipped directories", || races::flipped_directories(&settings));
    report.add("objects in every place", || objects::all(&settings));
    report.add("tmpfs at every fill level", || fill::all(&settings));
    if is_own {
        report.add("the key matrix", || key_matrix::all(&settings));
        report.add("every bit and every truncation", || bits::all(&settings));
        report.add("the same of activation and license", || license_bits::all(&settings));
        report.add("no random bytes", || random::all(&settings));
    }
    report.finish()
}
