//! Who holds which instance id, kept across a restart: a journal with one JSON line for each change, in the data
//! directory.
//!
//! A line is written before the registration is answered, so a relay that is killed knows it when it comes back. It is
//! not synced: a crash of the whole machine can lose the last changes. The journal is rewritten at the start, without
//! what no longer counts, and whenever it has grown long. A line that a full disk cut off is taken back before the next
//! one, and what could not be written is written when there is room.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pulse_trust::UnixTime;
use serde::{Deserialize, Serialize};
use tracing::error;

use crate::metrics::Counter;
use crate::state_file;
use crate::sync::{Mutex, locked};

const FILE: &str = "holds.jsonl";
/// How many lines for each held id, plus a few, are written before the journal is rewritten.
const LINES_PER_ID: usize = 4;
const SOME_LINES: usize = 20_000;

/// What is remembered of an instance id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    /// SHA-256 of the identity key as REGISTER names it.
    pub(crate) identity: [u8; 32],
    /// How often another identity has taken the id over.
    pub(crate) generation: u64,
    /// The identity has proved that it holds the key.
    pub(crate) is_proved: bool,
    /// No session of this id can resume after this moment.
    pub(crate) sessions_until: UnixTime,
    /// When its connection ended; `None` while it is connected.
    pub(crate) released_at: Option<UnixTime>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    instance_id: String,
    /// Standard base64.
    identity: String,
    generation: u64,
    proved: bool,
    sessions_until: i64,
    released_at: Option<i64>,
}

/// The journal.
pub(crate) struct Holds {
    path: PathBuf,
    journal: Mutex<Journal>,
    failures: Counter,
}

struct Journal {
    file: File,
    lines: usize,
    /// The ids whose last change is not in the file.
    missing: BTreeSet<String>,
    /// Where a line begins that was cut off, and could not be taken back.
    torn_at: Option<u64>,
}

impl Holds {
    /// Reads the journal of a data directory, drops what no longer counts after `hold_time`, and continues writing.
    ///
    /// # Errors
    /// If it cannot be read or written; [`io::ErrorKind::InvalidData`] for a line that does not belong to the
    /// journal, except a last one that a crash cut off.
    pub(crate) fn open(
        data_dir: &Path,
        hold_time: Duration,
        now: UnixTime,
        failures: Counter,
    ) -> io::Result<(Self, Vec<(String, Hold)>)> {
        let path = data_dir.join(FILE);
        // Bytes, because a crash can cut a line inside a character.
        let bytes = state_file::read_bytes(&path)?.unwrap_or_default();
        let mut holds = BTreeMap::new();
        for (line, number) in bytes.split_inclusive(|byte| *byte == b'\n').zip(1_u64..) {
            match serde_json::from_slice::<Line>(line) {
                Ok(line) if line.identity().is_some() => holds.extend(line.into_hold()),
                _ if !line.ends_with(b"\n") => {}
                _ => {
                    let message = format!(
                        "line {number}: expected a line of the journal of held ids; move the file away to start without it"
                    );
                    return Err(state_file::invalid(&path, &message));
                }
            }
        }
        holds.retain(|_, entry| {
            let held_until = entry.released_at.unwrap_or(now).saturating_add(hold_time);
            now < held_until || now < entry.sessions_until
        });
        // Whoever was connected when the relay went down counts as gone from now on.
        for entry in holds.values_mut() {
            entry.released_at.get_or_insert(now);
        }
        let journal = Mutex::new(Journal::rewritten(&path, holds.iter())?);
        Ok((Self { path, journal, failures }, holds.into_iter().collect()))
    }

    /// Rewrites the journal with the current holds, if it has grown long, lacks something, or is not where it was. If there is
    /// no room for that, what it lacks is appended.
    pub(crate) fn keep<'a>(&self, holds: impl ExactSizeIterator<Item = (&'a String, &'a Hold)> + Clone) {
        let mut journal = locked(&self.journal);
        let is_short = journal.lines <= holds.len().saturating_mul(LINES_PER_ID).saturating_add(SOME_LINES);
        let in_place = state_file::is_in_place(&journal.file, &self.path);
        if is_short && journal.missing.is_empty() && in_place.is_ok() {
            return;
        }
        let mended = match Journal::rewritten(&self.path, holds.clone()) {
            Ok(rewritten) => {
                *journal = rewritten;
                Ok(())
            }
            Err(_) if is_short && in_place.is_ok() => journal.append_missing(holds),
            Err(error) => Err(error),
        };
        if let Err(error) = mended.and(in_place) {
            self.failed(&error);
        }
    }

    /// Writes one change. A disk failure is counted and logged, and stops nobody.
    pub(crate) fn record(&self, instance_id: &str, hold: &Hold) {
        let Some(line) = line(instance_id, hold) else { return };
        let mut journal = locked(&self.journal);
        let written = journal.append(&line);
        if let Err(error) = written.and_then(|()| state_file::is_in_place(&journal.file, &self.path)) {
            journal.missing.insert(instance_id.to_owned());
            self.failed(&error);
        }
    }

    fn failed(&self, error: &io::Error) {
        self.failures.inc();
        let path = self.path.display();
        error!(%error, "{path} could not be written: a restart may forget which instance holds which id");
    }
}

impl Journal {
    fn rewritten<'a>(path: &Path, holds: impl ExactSizeIterator<Item = (&'a String, &'a Hold)>) -> io::Result<Self> {
        let lines = holds.len();
        let whole: String = holds.filter_map(|(id, hold)| line(id, hold)).collect();
        state_file::replace(path, whole.as_bytes())?;
        Ok(Self {
            file: OpenOptions::new().append(true).mode(0o600).open(path)?,
            lines,
            missing: BTreeSet::new(),
            torn_at: None,
        })
    }

    /// Appends one line whole, or nothing: the next line would be glued to a piece of it, and the journal could not be read.
    fn append(&mut self, line: &str) -> io::Result<()> {
        self.take_torn_back()?;
        let before = self.file.metadata()?.len();
        let written = self.file.write_all(line.as_bytes());
        if written.is_err() {
            self.torn_at = Some(before);
            // If that fails, it is tried again before the next line.
            self.take_torn_back().ok();
        }
        self.lines = self.lines.saturating_add(1);
        written
    }

    fn take_torn_back(&mut self) -> io::Result<()> {
        if let Some(end) = self.torn_at {
            if self.file.metadata()?.len() > end {
                self.file.set_len(end)?;
            }
            self.torn_at = None;
        }
        Ok(())
    }

    fn append_missing<'a>(&mut self, holds: impl Iterator<Item = (&'a String, &'a Hold)>) -> io::Result<()> {
        let missing = self.missing.clone();
        for (id, hold) in holds.filter(|(id, _)| missing.contains(*id)) {
            if let Some(line) = line(id, hold) {
                self.append(&line)?;
            }
        }
        self.missing.clear();
        Ok(())
    }
}

fn line(instance_id: &str, hold: &Hold) -> Option<String> {
    let line = Line {
        instance_id: instance_id.to_owned(),
        identity: STANDARD.encode(hold.identity),
        generation: hold.generation,
        proved: hold.is_proved,
        sessions_until: hold.sessions_until.as_secs(),
        released_at: hold.released_at.map(UnixTime::as_secs),
    };
    serde_json::to_string(&line).ok().map(|text| text + "\n")
}

impl Line {
    fn identity(&self) -> Option<[u8; 32]> {
        STANDARD.decode(&self.identity).ok()?.try_into().ok()
    }

    fn into_hold(self) -> Option<(String, Hold)> {
        let hold = Hold {
            identity: self.identity()?,
            generation: self.generation,
            is_proved: self.proved,
            sessions_until: UnixTime::from_secs(self.sessions_until),
            released_at: self.released_at.map(UnixTime::from_secs),
        };
        Some((self.instance_id, hold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_774_440_000);
    const HOLD: Duration = Duration::from_secs(600);

    fn hold(identity: u8, released_at: Option<UnixTime>) -> Hold {
        Hold { identity: [identity; 32], generation: 3, is_proved: true, sessions_until: NOW, released_at }
    }

    fn open(directory: &Path, now: UnixTime) -> io::Result<(Holds, Vec<(String, Hold)>)> {
        Holds::open(directory, HOLD, now, Counter::default())
    }

    #[test]
    fn the_last_line_of_an_id_counts_and_what_is_over_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let (holds, none) = open(directory.path(), NOW).unwrap();
        assert!(none.is_empty());
        holds.record("a", &hold(1, None));
        holds.record("a", &hold(2, Some(NOW)));
        holds.record("b", &hold(3, None));
        drop(holds);
        let later = NOW.saturating_add(HOLD / 2);
        let (_, kept) = open(directory.path(), later).unwrap();
        assert_eq!(kept, [("a".to_owned(), hold(2, Some(NOW))), ("b".to_owned(), hold(3, Some(later)))]);
        let (_, kept) = open(directory.path(), NOW.saturating_add(HOLD)).unwrap();
        assert_eq!(kept.len(), 1, "the hold of a is over; b was gone only when the relay came back");
    }

    #[test]
    fn a_line_that_a_crash_cut_off_is_left_out_and_any_other_damage_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        open(directory.path(), NOW).unwrap().0.record("a", &hold(1, None));
        let path = directory.path().join(FILE);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{}", &whole[..40])).unwrap();
        assert_eq!(open(directory.path(), NOW).unwrap().1.len(), 1);
        std::fs::write(&path, format!("{}\n{whole}", &whole[..40])).unwrap();
        assert_eq!(open(directory.path(), NOW).err().unwrap().kind(), io::ErrorKind::InvalidData);
    }

    /// Rewriting used to be the only way: with room for lines but not for another file, missing lines stayed missing.
    #[test]
    fn what_could_not_be_written_is_appended_where_there_is_no_room_for_a_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let (mut holds, _) = open(directory.path(), NOW).unwrap();
        let path = directory.path().join(FILE);
        let (id, held) = ("a".to_owned(), hold(1, None));
        let writable = std::mem::replace(&mut locked(&holds.journal).file, File::open(&path).unwrap());
        holds.record(&id, &held);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
        // A path to the same file through a directory in which no other file can be made.
        holds.path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writable)).into();
        locked(&holds.journal).file = writable;
        holds.keep([(&id, &held)].into_iter());
        assert_eq!(open(directory.path(), NOW).unwrap().1.len(), 1);
    }

    #[test]
    fn a_long_journal_is_rewritten_short() {
        let directory = tempfile::tempdir().unwrap();
        let (holds, _) = open(directory.path(), NOW).unwrap();
        let (id, held) = ("a".to_owned(), hold(1, None));
        for _ in 0..SOME_LINES + 10 {
            holds.record(&id, &held);
        }
        holds.keep([(&id, &held)].into_iter());
        let text = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
        assert_eq!(text.lines().count(), 1);
        holds.record(&id, &held);
        assert_eq!(open(directory.path(), NOW).unwrap().1.len(), 1);
    }
}
