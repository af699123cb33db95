//! Who holds which instance id, kept over a restart: a journal of one JSON line a change, in the data directory.
//!
//! A line is written before the registration is answered, so a relay that is killed knows it when it comes back. It is
//! not synced each time: only a crash of the whole machine can lose the last second. The journal is rewritten at the
//! start, without what no longer counts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use pulse_trust::UnixTime;
use serde::{Deserialize, Serialize};
use tracing::error;

use crate::metrics::Counter;
use crate::state_file;

const FILE: &str = "holds.jsonl";

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
    identity: [u8; 32],
    generation: u64,
    proved: bool,
    sessions_until: i64,
    released_at: Option<i64>,
}

/// The journal.
pub(crate) struct Holds {
    file: File,
    failures: Counter,
}

impl Holds {
    /// Reads the journal of a data directory, forgets what no longer counts after `hold_time`, and goes on writing.
    ///
    /// # Errors
    /// Where it cannot be read or written; [`io::ErrorKind::InvalidData`] for a line that is not of the journal, but for
    /// a last one that a crash cut off.
    pub(crate) fn open(
        data_dir: &Path,
        hold_time: Duration,
        now: UnixTime,
        failures: Counter,
    ) -> io::Result<(Self, Vec<(String, Hold)>)> {
        let path = data_dir.join(FILE);
        let text = state_file::read(&path)?.unwrap_or_default();
        let mut holds = BTreeMap::new();
        let last_is_whole = text.ends_with('\n');
        let count = text.lines().count();
        for (index, line) in text.lines().enumerate() {
            match serde_json::from_str::<Line>(line) {
                Ok(line) => {
                    let (instance_id, hold) = line.into_hold();
                    holds.insert(instance_id, hold);
                }
                Err(_) if !last_is_whole && index.saturating_add(1) == count => {}
                Err(_) => {
                    let number = index.saturating_add(1);
                    let message = format!("{}, line {number}: expected a line of the journal of held ids; move the file away to start without it", path.display());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, message));
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
        let whole: String = holds.iter().filter_map(|(id, hold)| line(id, hold)).collect();
        state_file::replace(&path, whole.as_bytes())?;
        let file = OpenOptions::new().append(true).mode(0o600).open(&path)?;
        Ok((Self { file, failures }, holds.into_iter().collect()))
    }

    /// Writes one change. A disk that fails is counted and logged, and stops nobody.
    pub(crate) fn record(&self, instance_id: &str, hold: &Hold) {
        let Some(line) = line(instance_id, hold) else { return };
        if let Err(error) = (&self.file).write_all(line.as_bytes()) {
            self.failures.inc();
            error!(%error, "{FILE} could not be written: who holds which id may be lost at a restart");
        }
    }
}

fn line(instance_id: &str, hold: &Hold) -> Option<String> {
    let line = Line {
        instance_id: instance_id.to_owned(),
        identity: hold.identity,
        generation: hold.generation,
        proved: hold.is_proved,
        sessions_until: hold.sessions_until.as_secs(),
        released_at: hold.released_at.map(UnixTime::as_secs),
    };
    serde_json::to_string(&line).ok().map(|text| text + "\n")
}

impl Line {
    fn into_hold(self) -> (String, Hold) {
        let hold = Hold {
            identity: self.identity,
            generation: self.generation,
            is_proved: self.proved,
            sessions_until: UnixTime::from_secs(self.sessions_until),
            released_at: self.released_at.map(UnixTime::from_secs),
        };
        (self.instance_id, hold)
    }
}
