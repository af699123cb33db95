//! No random bytes, from the first call on or from a later one: an error, and never a key that is not random.

use crate::Settings;
use crate::check::check;
use crate::faults::Fixture;
use crate::jobs::Job;
use crate::preload::compile;
use crate::report::Outcome;
use crate::victim::{End, end_of};

/// More calls than any job makes.
const MOST_CALLS: usize = 8;

pub(crate) fn all(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let library = match compile("no_random", folder.path()) {
        Ok(library) => library,
        Err(error) => {
            outcome.count(|| "the library".to_owned(), Err(error));
            return outcome;
        }
    };
    for job in Job::ALL {
        let mut refused = 0;
        for good in 0..MOST_CALLS {
            let fixture = Fixture::new(job);
            let directory = fixture.copy();
            let mut command = settings.victim.command(job, &directory);
            command.env("LD_PRELOAD", &library).env("PULSE_TORTURE_RANDOM", good.to_string());
            let result = end_of(&mut command).and_then(|end| {
                refused += usize::from(end == End::Refused);
                let made_key = fixture.before.key.is_none() && directory.join(".encryption.key").exists();
                if good == 0 && made_key {
                    return Err("a key was made without random bytes".to_owned());
                }
                check(job, &fixture.before, &directory, end)
            });
            outcome.count(|| format!("{}, random bytes fail after {good} calls", job.name()), result);
        }
        // A load that cannot write back what it read says so in a warning.
        let ends_well = job == Job::Migrate;
        let seen =
            if (refused > 0) != ends_well { Ok(()) } else { Err(format!("{refused} of {MOST_CALLS} were refused")) };
        outcome.count(|| format!("{} is refused where random bytes fail", job.name()), seen);
    }
    outcome
}
