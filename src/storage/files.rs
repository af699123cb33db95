//! What a data directory needs of a file system.

use core::fmt;
use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::warning::Warning;

/// The file system under a [`super::DataDir`]: the machine's own, or what a host hands in where there is none
/// (WebAssembly). The guarantees of FORMATS 7 are its to keep: nothing but regular files, links never followed, a file
/// replaced whole or not at all.
pub trait Files: fmt::Debug + Send + Sync {
    /// Takes the directory's lock, held against other processes and threads until the result is dropped; `None` where
    /// the directory cannot be written, so that it can only be read.
    ///
    /// # Errors
    /// [`Error::FileMissing`] where there is no such directory, [`Error::FileNotRegular`], [`Error::File`].
    fn lock(&self, directory: &Path) -> Result<Option<Box<dyn HeldLock>>>;

    /// Reads a whole file of at most `limit` bytes; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::FileNotRegular`], [`Error::FileTooLarge`], [`Error::File`].
    fn read(&self, path: &Path, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<Zeroizing<Vec<u8>>>>;

    /// Replaces a file, or makes it, with mode 0600. On an error the old file is as it was and no other is left.
    ///
    /// # Errors
    /// [`Error::FileNotRegular`], [`Error::File`].
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()>;

    /// Makes a file as [`Files::replace`] does, but where there is one already, which then stays: `false` says so.
    ///
    /// # Errors
    /// As [`Files::replace`].
    fn create(&self, path: &Path, bytes: &[u8]) -> Result<bool>;

    /// Makes a directory, and those above it, with mode 0700.
    ///
    /// # Errors
    /// [`Error::File`].
    fn create_directory(&self, path: &Path) -> Result<()>;

    /// What a directory holds, in the order of the names; nothing where there is no such directory.
    ///
    /// # Errors
    /// [`Error::File`].
    fn entries(&self, directory: &Path) -> Result<Vec<Entry>>;

    /// Warns of a directory that others than its owner may look into.
    fn warn_of_directory(&self, directory: &Path, warnings: &mut Vec<Warning>);
}

/// A lock that is let go when it is dropped.
pub trait HeldLock: fmt::Debug + Send {}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A file, or anything else that has no entries.
    File,
    /// A directory.
    Directory,
    /// A link to a directory, or what cannot be told.
    Unknown,
}

/// How a path is named in errors and warnings.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The error of an operation on a file.
pub(super) fn failed(operation: &'static str, path: &Path, error: &io::Error) -> Error {
    Error::File { operation, path: shown(path), kind: error.kind(), detail: error.to_string() }
}
