//! A runtime's data directory, locked while it is read and changed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::seal::SealingKey;
use super::{file, master_key};
use crate::error::{Error, Result};
use crate::warning::Warning;

const LOCK_FILE: &str = ".pulse-trust.lock";

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
}

impl DataDir {
    /// The directory at this path, which exists.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The directory at this path, made with mode 0700 where it does not exist.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        create_directory(&path)?;
        Ok(Self { path })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the directory's lock, which is held against other processes and threads until the result is dropped.
    /// Taking it twice in one thread waits for ever. A directory that cannot be written has no lock: it can be read.
    ///
    /// # Errors
    /// [`Error::FileMissing`] where there is no such directory, [`Error::FileNotRegular`], [`Error::File`].
    pub fn lock(&self) -> Result<LockedDataDir> {
        if !self.path.is_dir() {
            return Err(Error::FileMissing { path: file::shown(&self.path) });
        }
        Ok(LockedDataDir { path: self.path.clone(), lock: take_lock(&self.path)? })
    }
}

/// A data directory whose lock is held.
#[derive(Debug)]
pub struct LockedDataDir {
    path: PathBuf,
    lock: Option<File>,
}

impl LockedDataDir {
    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn key(&self, warnings: &mut Vec<Warning>) -> Result<Option<SealingKey>> {
        master_key::read(&self.path, warnings)
    }

    pub(super) fn require_key(&self, what: &str, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        master_key::require(&self.path, what, warnings)
    }

    pub(super) fn key_to_write(&self, warnings: &mut Vec<Warning>) -> Result<SealingKey> {
        self.check_locked()?;
        file::warn_of_directory(&self.path, warnings);
        master_key::read_or_make(&self.path, warnings)
    }

    /// Replaces one of the directory's files.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.check_locked()?;
        file::replace(path, bytes)
    }

    fn check_locked(&self) -> Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => {
                let detail = "the directory's lock file cannot be written".to_owned();
                Err(Error::File { operation: "write in", path: file::shown(&self.path), detail })
            }
        }
    }
}

/// Takes the lock; `None` where the lock file cannot be written.
fn take_lock(directory: &Path) -> Result<Option<File>> {
    let path = directory.join(LOCK_FILE);
    let not_regular = || Error::FileNotRegular { path: file::shown(&path) };
    let lock = match open_lock(&path) {
        Ok(lock) => lock,
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            return Ok(None);
        }
        Err(_) if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) => return Err(not_regular()),
        Err(error) => return Err(file::failed("open", &path, &error)),
    };
    if !lock.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(not_regular());
    }
    file::keep_owner(&lock, None, directory).map_err(|error| file::failed("open", &path, &error))?;
    loop {
        match lock.lock() {
            Ok(()) => return Ok(Some(lock)),
            // A signal came while we waited.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(file::failed("lock", &path, &error)),
        }
    }
}

#[cfg(unix)]
fn open_lock(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?))
}

#[cfg(not(unix))]
fn open_lock(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// Makes a directory, and those above it, with mode 0700.
pub(super) fn create_directory(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| file::failed("create", path, &error))
}
