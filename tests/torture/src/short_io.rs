//! Reads and writes that do less than they were asked to: a library that is loaded before the C library's.

use crate::Settings;
use crate::check::check;
use crate::faults::Fixture;
use crate::jobs::Job;
use crate::preload::compile;
use crate::report::Outcome;
use crate::victim::{End, end_of};

pub(crate) fn all(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let library = match compile("short_io", folder.path()) {
        Ok(library) => library,
        Err(error) => {
            outcome.count(|| "the library".to_owned(), Err(error));
            return outcome;
        }
    };
    for job in Job::ALL {
        for most in ["1", "7", "43"] {
            let fixture = Fixture::new(job);
            let directory = fixture.copy();
            let mut command = settings.victim.command(job, &directory);
            command.env("LD_PRELOAD", &library).env("PULSE_TORTURE_MOST", most);
            let result = end_of(&mut command).and_then(|end| match end {
                End::Done => check(job, &fixture.before, &directory, end),
                _ => Err(format!("{end:?}")),
            });
            outcome.count(|| format!("{}, {most} bytes at a time", job.name()), result);
        }
    }
    outcome
}
