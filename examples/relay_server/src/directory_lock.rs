//! Only one relay at a time uses a data directory: each of two would assume that it knows who holds which id.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tracing::warn;

use crate::state_file;
use crate::sync::{Mutex, locked};

/// The file that is locked. It stays when the relay ends: the lock is the operating system's, and ends with the process.
const FILE: &str = "relay.lock";

/// Held while a relay uses its data directory.
pub(crate) struct DirectoryLock(Mutex<File>);

impl DirectoryLock {
    /// Takes the directory.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] if another relay has it.
    pub(crate) fn take(data_dir: &Path) -> io::Result<Self> {
        lock(data_dir).map(|file| Self(Mutex::new(file)))
    }

    /// Takes the directory again if the locked file was deleted, because another relay would then lock a new one.
    ///
    /// # Errors
    /// As [`DirectoryLock::take`].
    pub(crate) fn keep(&self, data_dir: &Path) -> io::Result<()> {
        let mut file = locked(&self.0);
        if state_file::is_in_place(&file, &data_dir.join(FILE)).is_err() {
            *file = lock(data_dir)?;
            warn!("{FILE} was not in the data directory, and is there again");
        }
        Ok(())
    }

    /// Gives it back: nothing more is written.
    pub(crate) fn release(&self) {
        locked(&self.0).unlock().ok();
    }
}

fn lock(data_dir: &Path) -> io::Result<File> {
    let path = data_dir.join(FILE);
    let named = |kind, what: &str| io::Error::new(kind, format!("{}: {what}", path.display()));
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let file = file.map_err(|error| named(error.kind(), &error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = "another relay uses this directory: end it first, or set another PULSE_RELAY_DATA_DIR";
            Err(named(io::ErrorKind::ResourceBusy, message))
        }
        Err(TryLockError::Error(error)) => {
            let message = format!("cannot be locked, and only one relay at a time may use a directory: {error}");
            Err(named(error.kind(), &message))
        }
    }
}
