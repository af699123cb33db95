//! What a data directory needs of a file system.

use core::fmt;
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::secret::SecretBytes;
use crate::warning::Warning;

/// The file whose lock guards a data directory.
pub(crate) const LOCK_FILE: &str = ".pulse-trust.lock";

/// The file system under a [`super::DataDir`]: the machine's own, or what a host provides if there is none
/// (WebAssembly).
///
/// ```
/// use std::collections::BTreeMap;
/// use std::path::Path;
/// use std::sync::{Arc, Mutex};
///
/// use pulse_trust::relay::RelayConfig;
/// use pulse_trust::storage::{DataDir, DirectoryFiles, Entry, EntryKind, Files, IdentityChange, Revision};
/// use pulse_trust::{Result, SecretBytes, Warning};
///
/// /// One directory in memory, for a test that uses it from one place.
/// #[derive(Clone, Default)]
/// struct InMemory(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);
///
/// impl std::fmt::Debug for InMemory {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("InMemory") // files hold secrets
///     }
/// }
///
/// impl Files for InMemory {
///     fn create_directory(&self, _: &Path) -> Result<()> {
///         Ok(())
///     }
///     fn try_lock(&self, _: &Path) -> Result<Option<Box<dyn DirectoryFiles>>> {
///         Ok(Some(Box::new(self.clone())))
///     }
///     fn read_outside(&self, _: &Path, _: u64, _: &mut Vec<Warning>) -> Result<Option<SecretBytes>> {
///         Ok(None)
///     }
/// }
///
/// impl DirectoryFiles for InMemory {
///     fn read_only_reason(&self) -> Option<&str> {
///         None
///     }
///     fn read(&self, name: &str, _: u64, _: &mut Vec<Warning>) -> Result<Option<SecretBytes>> {
///         Ok(self.0.lock().unwrap().get(name).map(|bytes| SecretBytes::from(bytes.clone())))
///     }
///     fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
///         self.0.lock().unwrap().insert(name.to_owned(), bytes.to_vec());
///         Ok(())
///     }
///     fn create(&self, name: &str, bytes: &[u8]) -> Result<bool> {
///         Ok(!self.0.lock().unwrap().contains_key(name) && self.replace(name, bytes).is_ok())
///     }
///     fn create_directory(&self, _: &str) -> Result<()> {
///         Ok(())
///     }
///     fn entries(&self, _: &str) -> Result<Vec<Entry>> {
///         let files = self.0.lock().unwrap();
///         Ok(files.keys().map(|name| Entry { name: name.clone(), kind: EntryKind::File }).collect())
///     }
///     fn warn_of_mode(&self, _: &mut Vec<Warning>) {}
/// }
///
/// let files = InMemory::default();
/// let locked = DataDir::on(Arc::new(files.clone()), "anywhere").lock()?;
/// locked.save_relay_config(&RelayConfig::default(), &Revision::ABSENT, IdentityChange::Keep)?;
/// assert!(files.0.lock().unwrap().contains_key("relay.enc"));
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub trait Files: fmt::Debug + Send + Sync {
    /// Makes a directory, and those above it, with mode 0700 and the owner of the directory it is made in.
    ///
    /// # Errors
    /// [`Error::File`].
    fn create_directory(&self, path: &Path) -> Result<()>;

    /// Opens a directory once and takes its lock, without waiting; `None` if another process or thread holds it. A
    /// directory in which no lock can be taken because it cannot be written to is opened for reading.
    ///
    /// # Errors
    /// [`Error::FileMissing`] if there is no such directory, [`Error::FileNotRegular`], [`Error::File`].
    fn try_lock(&self, path: &Path) -> Result<Option<Box<dyn DirectoryFiles>>>;

    /// Opens a directory for reading alone: takes no lock and makes no file.
    ///
    /// # Errors
    /// As [`Files::try_lock`]; [`Error::File`] if this file system only knows locked directories.
    fn open_read_only(&self, path: &Path) -> Result<Box<dyn DirectoryFiles>> {
        let detail = "this file system only opens directories under a lock";
        Err(failed("open", path, io::Error::new(io::ErrorKind::Unsupported, detail)))
    }

    /// Reads a whole file of at most `limit` bytes that is outside of every data directory; `None` if there is none.
    ///
    /// # Errors
    /// As [`DirectoryFiles::read`].
    fn read_outside(&self, path: &Path, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<SecretBytes>>;
}

/// The files of one directory, which was opened once. It is locked until this is dropped, unless it can only be read, as
/// [`DirectoryFiles::read_only_reason`] says.
///
/// Names are relative to that directory, with `/` between their parts (`orgs/acme/billing.json`). Whatever happens to
/// the path of the directory meanwhile, each name refers to the directory that was opened, and no symbolic link below
/// it is followed.
///
/// See the example of [`Files`].
pub trait DirectoryFiles: fmt::Debug + Send {
    /// Why nothing can be written, such as that no lock file can be created; `None` if the lock is held.
    fn read_only_reason(&self) -> Option<&str>;

    /// Fails in a process that did not take the lock, but has a copy of this because it began as a fork of the one that
    /// did.
    ///
    /// # Errors
    /// [`Error::File`].
    fn check_holder(&self) -> Result<()> {
        Ok(())
    }

    /// Reads a whole file of at most `limit` bytes; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::FileNotRegular`], [`Error::FileTooLarge`], [`Error::File`].
    fn read(&self, name: &str, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<SecretBytes>>;

    /// Replaces a file, or makes it, with mode 0600. On an error the old file is unchanged, and no temporary file is
    /// left.
    ///
    /// # Errors
    /// [`Error::FileNotRegular`], [`Error::File`]; [`Error::FileNotDurable`] if the new file is in place but a power
    /// failure may still bring back the old one.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Makes a file as [`DirectoryFiles::replace`] does, unless there is one already, which then stays: `false` says so.
    ///
    /// # Errors
    /// As [`DirectoryFiles::replace`].
    fn create(&self, name: &str, bytes: &[u8]) -> Result<bool>;

    /// Makes a directory, and those above it, with mode 0700 and the owner of the directory it is made in.
    ///
    /// # Errors
    /// [`Error::File`].
    fn create_directory(&self, name: &str) -> Result<()>;

    /// What a directory holds, in the order of the names; nothing if there is no such directory. The empty name is
    /// the directory itself.
    ///
    /// # Errors
    /// [`Error::File`].
    fn entries(&self, name: &str) -> Result<Vec<Entry>>;

    /// Warns about a directory that users other than its owner may list.
    fn warn_of_mode(&self, warnings: &mut Vec<Warning>);
}

/// One entry of a directory.
///
/// See the example of [`Files`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name. If it is not UTF-8, replacement characters stand for the invalid parts, and the kind is unknown.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a directory is.
///
/// See the example of [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A file, or anything else that has no entries.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, or an entry whose kind cannot be determined.
    Unknown,
}

/// How a path is named in errors and warnings.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The error of an operation on a file.
pub(super) fn failed(operation: &'static str, path: &Path, error: impl Into<io::Error>) -> Error {
    let error = error.into();
    Error::File { operation, path: shown(path), kind: error.kind(), detail: error.to_string() }
}
