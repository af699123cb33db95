//! A disk at every fill level: so many pages or so many files are free.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Settings;
use crate::check::check;
use crate::faults::{Fixture, copy_directory};
use crate::jobs::Job;
use crate::report::Outcome;
use crate::victim::end_of;

const PAGE: usize = 4096;
const MOST_FREE: usize = 12;

pub(crate) fn all(settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let folder = tempfile::tempdir().expect("a folder");
    let disk = match Disk::mount(folder.path()) {
        Ok(disk) => disk,
        Err(error) => {
            outcome.count(|| "a disk (root is needed)".to_owned(), Err(error));
            return outcome;
        }
    };
    for job in Job::ALL {
        let fixture = Fixture::new(job);
        for free in 0..MOST_FREE {
            for of_files in [false, true] {
                let name = || format!("{}, {free} {} free", job.name(), if of_files { "files" } else { "pages" });
                outcome.count(name, one(settings, &fixture, disk.path, free, of_files));
            }
        }
    }
    outcome
}

fn one(settings: &Settings, fixture: &Fixture, disk: &Path, free: usize, of_files: bool) -> Result<(), String> {
    let directory = disk.join("data");
    let fillers = disk.join("fill");
    let _ = fs::remove_dir_all(&fillers);
    copy_directory(&fixture.original(), &directory);
    fs::create_dir(&fillers).map_err(|error| error.to_string())?;
    let filler = |index: usize| fillers.join(index.to_string());
    let mut made = 0;
    let content = if of_files { vec![] } else { vec![1; PAGE] };
    while fs::write(filler(made), &content).is_ok() {
        made += 1;
    }
    // The one that did not fit has taken a name.
    let _ = fs::remove_file(filler(made));
    for index in 0..free.min(made) {
        fs::remove_file(filler(index)).map_err(|error| error.to_string())?;
    }
    let end = end_of(&mut settings.victim.command(fixture.job, &directory))?;
    // Room again, to look at what is there.
    fs::remove_dir_all(&fillers).map_err(|error| error.to_string())?;
    check(fixture.job, &fixture.before, &directory, end)
}

struct Disk<'a> {
    path: &'a Path,
}

impl<'a> Disk<'a> {
    fn mount(path: &'a Path) -> Result<Self, String> {
        let options = ["-t", "tmpfs", "-o", "size=512k,nr_inodes=160", "tmpfs"];
        let status =
            Command::new("mount").args(options).arg(path).status().map_err(|error| format!("mount: {error}"))?;
        if status.success() { Ok(Self { path }) } else { Err(format!("mount: {status}")) }
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path).status();
    }
}
