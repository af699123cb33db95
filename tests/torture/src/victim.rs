//! The program that is tortured: one job in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use pulse_trust::Error;

use crate::jobs::Job;

/// Exit statuses of a victim.
pub(crate) const DONE: i32 = 0;
pub(crate) const REFUSED: i32 = 10;
/// The new file is in place, but may be lost with the power.
pub(crate) const NOT_DURABLE: i32 = 11;

/// The victim changes to this directory, which does not exist, before it begins: a mark in the record of its system
/// calls.
pub(crate) const MARK: &str = "/pulse-torture-begins";

pub(crate) struct Victim {
    program: PathBuf,
    is_own: bool,
}

/// What a victim came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Refused,
    NotDurable,
    Killed,
}

impl Victim {
    pub(crate) fn new(program: PathBuf, is_own: bool) -> Self {
        Self { program, is_own }
    }

    /// The command line after the program that runs it, if any.
    pub(crate) fn arguments(&self, job: Job, directory: &Path) -> Vec<PathBuf> {
        let mut arguments = vec![self.program.clone()];
        if self.is_own {
            arguments.push("victim".into());
        }
        arguments.extend([job.name().into(), directory.to_owned()]);
        arguments
    }

    pub(crate) fn command(&self, job: Job, directory: &Path) -> Command {
        self.command_under(&[], job, directory)
    }

    /// The victim, run by another program such as strace.
    pub(crate) fn command_under(&self, prefix: &[String], job: Job, directory: &Path) -> Command {
        let mut words = prefix.iter().map(PathBuf::from).chain(self.arguments(job, directory));
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// Runs a command to its end; one that hangs or panics is a failure.
pub(crate) fn end_of(command: &mut Command) -> Result<End, String> {
    const LONGEST: Duration = Duration::from_secs(60);
    let mut child = command.spawn().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return end(status);
        }
        if start.elapsed() > LONGEST {
            let _ = child.kill();
            return Err("it hangs".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn end(status: ExitStatus) -> Result<End, String> {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(DONE), _) => Ok(End::Done),
        (Some(REFUSED), _) => Ok(End::Refused),
        (Some(NOT_DURABLE), _) => Ok(End::NotDurable),
        (_, Some(9)) | (Some(137), _) => Ok(End::Killed),
        _ => Err(format!("it ended with {status}")),
    }
}

/// Does one job, and says by the exit status what came of it.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let [name, directory, report @ ..] = arguments else {
        eprintln!("victim JOB DIRECTORY [REPORT]");
        return ExitCode::FAILURE;
    };
    let Some(job) = Job::ALL.into_iter().chain(Job::MORE).find(|job| job.name() == name) else {
        eprintln!("no job {name}");
        return ExitCode::FAILURE;
    };
    let _ = std::env::set_current_dir(MARK);
    match job.run(Path::new(directory)) {
        Ok(seen) => {
            if let [report] = report {
                std::fs::write(report, seen).expect("the report can be written");
            }
            ExitCode::SUCCESS
        }
        Err(Error::FileNotDurable { .. }) => ExitCode::from(11),
        Err(error) => {
            if let [report] = report {
                let _ = std::fs::write(report, error.to_string());
            }
            ExitCode::from(10)
        }
    }
}
