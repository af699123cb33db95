//! A runtime's data directory, locked while it is read and changed.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{DirectoryFiles, Files, LOCK_FILE, failed, shown};
use super::reader::DataDirReader;
use super::revision::Revision;
use crate::error::{Error, Result};
use crate::warning::Warning;

/// What was loaded, and what the caller should be told about.
///
/// See the example of [`DataDir`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded<T> {
    /// What was loaded.
    pub value: T,
    /// The state of the file, which a save has to name.
    pub revision: Revision,
    /// What the caller should be told about.
    pub warnings: Vec<Warning>,
}

/// The result of a save.
///
/// See the example of [`DataDir`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// The state of the file now.
    pub revision: Revision,
    /// What the caller should be told about.
    pub warnings: Vec<Warning>,
}

/// A runtime's data directory (`/etc/pulse` in a container). Nothing is opened until [`DataDir::lock`].
///
/// ```
/// use pulse_trust::storage::{DataDir, IdentityChange};
///
/// # let parent = tempfile::tempdir()?;
/// # let path = parent.path().join("pulse");
/// let data_dir = DataDir::create(path)?;
/// let locked = data_dir.lock()?;
/// let mut loaded = locked.relay_config()?;
/// loaded.value.enabled = true;
/// locked.save_relay_config(&loaded.value, &loaded.revision, IdentityChange::Keep)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
    files: Arc<dyn Files>,
    legacy_key: Option<PathBuf>,
}

impl DataDir {
    /// How long [`DataDir::lock`] waits. A lock is only held while a few small files are written.
    pub const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

    /// The directory at this path, which must exist.
    #[cfg(unix)]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::on(Arc::new(super::native::NativeFiles), path)
    }

    /// The directory at this path, made with mode 0700 if it does not exist.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    #[cfg(unix)]
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let directory = Self::new(path);
        directory.create_if_absent()?;
        Ok(directory)
    }

    /// Makes the directory, and those above it, with mode 0700 if it does not exist.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn create_if_absent(&self) -> Result<()> {
        self.files.create_directory(&self.path)
    }

    /// The directory at this path in another file system.
    pub fn on(files: Arc<dyn Files>, path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), files, legacy_key: None }
    }

    /// The same directory, which takes over a key file at this absolute path where it has none of its own: the key is
    /// copied, and the original stays. `None`, which is the default, takes over none. A runtime that is configured from
    /// its environment uses [`crate::hosted::legacy_key_path_from_process`].
    #[must_use]
    pub fn with_legacy_key(mut self, path: Option<PathBuf>) -> Self {
        self.legacy_key = path;
        self
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the directory and takes its lock, waiting for it at most [`DataDir::LOCK_TIMEOUT`].
    ///
    /// # Errors
    /// As [`DataDir::lock_within`].
    pub fn lock(&self) -> Result<LockedDataDir> {
        self.lock_within(Self::LOCK_TIMEOUT)
    }

    /// Opens the directory and takes its lock, which is held against other processes and threads until the result is
    /// dropped. All that follows refers to the directory that was opened, whatever its path then leads to. A directory
    /// that cannot be written to has no lock: it can only be read.
    ///
    /// The lock belongs to the process that took it. A child that this process forks has a copy of the result, with which
    /// everything fails; to drop the copy leaves the lock alone. The child does not prolong the lock, unless this process
    /// is killed while it holds it: then the lock ends with the child, too.
    ///
    /// # Errors
    /// [`Error::LockTimeout`] if others hold the lock for all that time; [`Error::FileMissing`] if there is no such
    /// directory; [`Error::FileNotRegular`]; [`Error::File`].
    pub fn lock_within(&self, timeout: Duration) -> Result<LockedDataDir> {
        Ok(LockedDataDir { reader: self.opened(self.wait_for_lock(timeout)?) })
    }

    /// Opens the directory for reading alone: takes no lock, makes no file, and leaves files of older forms as they
    /// are. For a tool that looks at a directory which belongs to a running Pulse. Each file is consistent, as files
    /// are replaced whole, but two files may be from different moments.
    ///
    /// # Errors
    /// [`Error::FileMissing`] if there is no such directory; [`Error::File`].
    pub fn open_read_only(&self) -> Result<DataDirReader> {
        Ok(self.opened(self.files.open_read_only(&self.path)?))
    }

    fn opened(&self, files: Box<dyn DirectoryFiles>) -> DataDirReader {
        DataDirReader::new(self.path.clone(), files, Arc::clone(&self.files), self.legacy_key.clone())
    }

    fn wait_for_lock(&self, timeout: Duration) -> Result<Box<dyn DirectoryFiles>> {
        const LONGEST_PAUSE: Duration = Duration::from_millis(25);
        let mut pause = Duration::from_millis(1);
        let mut waited = Duration::ZERO;
        loop {
            if let Some(files) = self.files.try_lock(&self.path)? {
                return Ok(files);
            }
            if waited >= timeout {
                let path = shown(&self.path.join(LOCK_FILE));
                return Err(Error::LockTimeout {
                    path,
                    waited_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
                });
            }
            let next = pause.min(timeout.saturating_sub(waited));
            std::thread::sleep(next);
            waited = waited.saturating_add(next);
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}

/// A data directory whose lock is held, so that it can be changed; or one in which nobody can write, as
/// [`LockedDataDir::read_only_reason`] says. One thread uses it at a time.
///
/// See the example of [`DataDir`].
#[derive(Debug)]
pub struct LockedDataDir {
    reader: DataDirReader,
}

impl LockedDataDir {
    /// The directory's path.
    pub fn path(&self) -> &Path {
        self.reader.path()
    }

    /// Reads the directory under the lock, and changes nothing in it.
    pub fn reader(&self) -> &DataDirReader {
        &self.reader
    }

    /// Why nothing can be written here: no lock file can be created or opened in the directory. `None` if the lock is
    /// held.
    pub fn read_only_reason(&self) -> Option<&str> {
        self.files().read_only_reason()
    }

    /// Fails in a process that did not take the lock, but began as a fork of the one that did. What reads or writes
    /// checks this by itself.
    ///
    /// # Errors
    /// [`Error::File`], which says what to do.
    pub fn check_holder(&self) -> Result<()> {
        self.reader.check_holder()
    }

    pub(super) fn files(&self) -> &dyn DirectoryFiles {
        self.reader.files()
    }

    /// The path of one of the directory's files, for errors and warnings.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.reader.path_of(name)
    }

    /// Replaces one of the directory's files, of which its reader accepts up to `limit` bytes.
    pub(super) fn replace(&self, name: &str, bytes: &[u8], limit: u64) -> Result<Revision> {
        self.check_writable()?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > limit {
            return Err(Error::FileTooLarge { path: shown(&self.path_of(name)), limit, received: length });
        }
        self.files().replace(name, bytes)?;
        Ok(Revision::of(Some(bytes)))
    }

    pub(super) fn check_writable(&self) -> Result<()> {
        match self.read_only_reason() {
            None => Ok(()),
            Some(reason) => {
                let detail = format!("it can only be read: {reason}");
                Err(failed("write in", self.path(), io::Error::new(io::ErrorKind::ReadOnlyFilesystem, detail)))
            }
        }
    }
}
