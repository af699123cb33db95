//! A data directory that is only read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{DirectoryFiles, Files};
use crate::error::Result;

/// Reads a data directory and changes nothing in it: files of older forms stay as they are, and a key in its legacy
/// location is used there. Made by [`DataDir::open_read_only`](super::DataDir::open_read_only) without a lock, or by
/// [`LockedDataDir::reader`](super::LockedDataDir::reader) under one. One thread uses it at a time.
///
/// ```
/// use pulse_trust::relay::RelayConfig;
/// use pulse_trust::storage::{DataDir, IdentityChange, Revision};
///
/// # let parent = tempfile::tempdir()?;
/// # let path = parent.path().join("pulse");
/// let data_dir = DataDir::create(path)?;
/// data_dir.lock()?.save_relay_config(&RelayConfig::default(), &Revision::ABSENT, IdentityChange::Keep)?;
/// assert!(!data_dir.open_read_only()?.relay_config()?.value.enabled);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DataDirReader {
    path: PathBuf,
    files: Box<dyn DirectoryFiles>,
    outside: Arc<dyn Files>,
    legacy_key: Option<PathBuf>,
}

impl DataDirReader {
    pub(super) fn new(
        path: PathBuf,
        files: Box<dyn DirectoryFiles>,
        outside: Arc<dyn Files>,
        legacy_key: Option<PathBuf>,
    ) -> Self {
        Self { path, files, outside, legacy_key }
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fails in a process that did not open the directory under its lock, but began as a fork of the one that did. What
    /// reads checks this by itself.
    ///
    /// # Errors
    /// [`crate::Error::File`], which says what to do.
    pub fn check_holder(&self) -> Result<()> {
        self.files.check_holder()
    }

    pub(super) fn files(&self) -> &dyn DirectoryFiles {
        self.files.as_ref()
    }

    /// The file system, for files outside of the directory.
    pub(super) fn outside(&self) -> &dyn Files {
        self.outside.as_ref()
    }

    pub(super) fn legacy_key(&self) -> Option<&Path> {
        self.legacy_key.as_deref()
    }

    /// The path of one of the directory's files, for errors and warnings.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
