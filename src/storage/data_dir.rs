//! A runtime's data directory, locked while it is read and changed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Files, HeldLock, failed};
use super::master_key;
use super::seal::SealingKey;
use crate::error::Result;
use crate::warning::Warning;

/// What was loaded, and what the caller should hear of.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded<T> {
    /// What was loaded.
    pub value: T,
    /// What the caller should hear of.
    pub warnings: Vec<Warning>,
}

/// A runtime's data directory (`/etc/pulse` in a container). Nothing is read before [`DataDir::lock`].
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
    files: Arc<dyn Files>,
}

impl DataDir {
    /// The directory at this path, which exists.
    #[cfg(any(unix, windows))]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::on(Arc::new(super::native::NativeFiles), path)
    }

    /// The directory at this path, made with mode 0700 where it does not exist.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    #[cfg(any(unix, windows))]
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let directory = Self::new(path);
        directory.files.create_directory(&directory.path)?;
        Ok(directory)
    }

    /// The directory at this path of another file system.
    pub fn on(files: Arc<dyn Files>, path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), files }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the directory's lock, which is held against other processes and threads until the result is dropped.
    /// Taking it twice in one thread waits for ever. A directory that cannot be written has no lock: it can be read.
    ///
    /// # Errors
    /// [`crate::Error::FileMissing`] where there is no such directory, [`crate::Error::FileNotRegular`], [`crate::Error::File`].
    pub fn lock(&self) -> Result<LockedDataDir> {
        let lock = self.files.lock(&self.path)?;
        Ok(LockedDataDir { path: self.path.clone(), files: Arc::clone(&self.files), lock })
    }
}

/// A data directory whose lock is held.
#[derive(Debug)]
pub struct LockedDataDir {
    path: PathBuf,
    files: Arc<dyn Files>,
    lock: Option<Box<dyn HeldLock>>,
}

impl LockedDataDir {
    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    pub(super) fn key(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        master_key::read(self.files(), &self.path, warnings)
    }

    pub(super) fn require_key(&self, what: &str, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        master_key::require(self.files(), &self.path, what, warnings)
    }

    pub(super) fn key_to_write(&self, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        self.check_locked()?;
        self.files.warn_of_directory(&self.path, warnings);
        master_key::read_or_make(self.files(), &self.path, warnings)
    }

    /// Replaces one of the directory's files.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.check_locked()?;
        self.files.replace(path, bytes)
    }

    fn check_locked(&self) -> Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => {
                let read_only = "the directory's lock file cannot be written";
                Err(failed("write in", &self.path, &io::Error::new(io::ErrorKind::ReadOnlyFilesystem, read_only)))
            }
        }
    }
}
