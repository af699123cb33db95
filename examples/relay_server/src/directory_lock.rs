//! One relay at a time uses a data directory: two would each think that they know who holds which id.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file that is locked. It stays when the relay ends: the lock is the operating system's, and ends with the process.
const FILE: &str = "relay.lock";

/// Held while a relay uses its data directory.
pub(crate) struct DirectoryLock(File);

impl DirectoryLock {
    /// Takes the directory.
    ///
    /// # Errors
    /// [`io::ErrorKind::ResourceBusy`] where another relay has it.
    pub(crate) fn take(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(FILE);
        let named = |kind, what: &str| io::Error::new(kind, format!("{}: {what}", path.display()));
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(|error| named(error.kind(), &error.to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
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

    /// Gives it back: nothing more is written.
    pub(crate) fn release(&self) {
        self.0.unlock().ok();
    }
}
