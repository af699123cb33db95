//! The files of this machine: one descriptor for the data directory, every access relative to it, no link below it is
//! followed, and files are replaced whole or not at all, under a lock.

mod directory;
mod lock;
mod owner;
mod read;
mod write;

use std::io;
use std::path::Path;

use self::directory::Place;
use self::lock::{Attempt, HeldLock};
use super::files::{DirectoryFiles, Entry, Files, failed, shown};
use crate::error::{Error, Result};
use crate::secret::SecretBytes;
use crate::warning::Warning;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;

/// The machine's own file system.
#[derive(Debug)]
pub(super) struct NativeFiles;

impl Files for NativeFiles {
    fn create_directory(&self, path: &Path) -> Result<()> {
        directory::create_with_parents(path).map_err(|error| failed("create", path, error))
    }

    fn try_lock(&self, path: &Path) -> Result<Option<Box<dyn DirectoryFiles>>> {
        let root = open_root(path)?;
        let lock = match lock::attempt(&root, path)? {
            Attempt::Held(lock) => Ok(lock),
            Attempt::ReadOnly(reason) => Err(reason),
            Attempt::NotYet => return Ok(None),
        };
        let files = NativeDirectory { path: path.to_owned(), root, lock };
        if files.lock.is_ok() {
            write::sweep(files.root.as_fd());
        }
        Ok(Some(Box::new(files)))
    }

    fn open_read_only(&self, path: &Path) -> Result<Box<dyn DirectoryFiles>> {
        let lock = Err("it was opened for reading alone".to_owned());
        Ok(Box::new(NativeDirectory { path: path.to_owned(), root: open_root(path)?, lock }))
    }

    fn read_outside(&self, path: &Path, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<SecretBytes>> {
        read::read(rustix::fs::CWD, path, path, limit, warnings)
    }
}

fn open_root(path: &Path) -> Result<OwnedFd> {
    directory::open_followed(path).map_err(|errno| match errno {
        Errno::NOENT => Error::FileMissing { path: shown(path) },
        _ => failed("open", path, errno),
    })
}

/// A directory that was opened once.
#[derive(Debug)]
struct NativeDirectory {
    /// Only for errors and warnings.
    path: std::path::PathBuf,
    root: OwnedFd,
    /// Or why there is none.
    lock: core::result::Result<HeldLock, String>,
}

impl DirectoryFiles for NativeDirectory {
    fn read_only_reason(&self) -> Option<&str> {
        self.lock.as_ref().err().map(String::as_str)
    }

    fn read(&self, name: &str, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<SecretBytes>> {
        let path = self.path.join(name);
        self.check_process("read", &path)?;
        match Place::find(&self.root, name).map_err(|errno| failed("read", &path, unfollowed(errno)))? {
            Some(place) => read::read(place.directory.as_fd(), Path::new(place.name), &path, limit, warnings),
            None => Ok(None),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        write::replace(&self.place_to_write(name, &path)?, &path, bytes, || self.check_lock(&path))
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        let path = self.path.join(name);
        write::create(&self.place_to_write(name, &path)?, &path, bytes, || self.check_lock(&path))
    }

    fn create_directory(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        self.check_process("create", &path)?;
        directory::create_below(&self.root, name).map_err(|errno| failed("create", &path, unfollowed(errno)))
    }

    fn entries(&self, name: &str) -> Result<Vec<Entry>> {
        let path = self.path.join(name);
        self.check_process("list", &path)?;
        directory::entries(&self.root, name).map_err(|errno| failed("list", &path, unfollowed(errno)))
    }

    fn check_holder(&self) -> Result<()> {
        self.check_process("lock", &self.path)
    }

    fn warn_of_mode(&self, warnings: &mut Vec<Warning>) {
        // The set-group-id bit, which some mounts set on every directory, gives nobody access.
        if let Ok(stat) = rustix::fs::fstat(&self.root)
            && let Some(mode) = read::wide_mode(&stat, 0o2700)
        {
            warnings.push(Warning::WideDirectoryMode { path: shown(&self.path), mode });
        }
    }
}

impl NativeDirectory {
    fn check_process(&self, operation: &'static str, path: &Path) -> Result<()> {
        let Ok(lock) = &self.lock else { return Ok(()) };
        lock.check_process().map_err(|error| failed(operation, path, error))
    }

    /// Where directories cannot be locked, deleting the lock file while it is held lets others in, so nothing is put in
    /// place then.
    fn check_lock(&self, path: &Path) -> Result<()> {
        let lost = "its lock file was removed or replaced while it was held, so others may be writing: try again";
        match &self.lock {
            Ok(lock) if lock::is_lock_file(&self.root, lock).map_err(|errno| failed("write", path, errno))? => Ok(()),
            Ok(_) => Err(failed("write", path, io::Error::other(lost))),
            Err(reason) => {
                Err(failed("write", path, io::Error::new(io::ErrorKind::ReadOnlyFilesystem, reason.as_str())))
            }
        }
    }

    fn place_to_write<'a>(&'a self, name: &'a str, path: &Path) -> Result<Place<'a>> {
        self.check_process("write", path)?;
        let place = Place::find(&self.root, name).map_err(|errno| failed("write", path, unfollowed(errno)))?;
        place.ok_or_else(|| failed("write", path, Errno::NOENT))
    }
}

/// Explains an errno of a directory that may be a link.
fn unfollowed(errno: Errno) -> io::Error {
    match errno {
        Errno::LOOP | Errno::NOTDIR => {
            let detail = "a directory on the path is a symbolic link, or is not a directory";
            io::Error::new(io::ErrorKind::NotADirectory, detail)
        }
        _ => errno.into(),
    }
}
