//! Writing a whole file: a new, unpredictably named temporary file is written and synced beside it and renamed over it,
//! and the directory is synced.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::super::files::{failed, shown};
use super::directory::Place;
use super::owner;
use crate::encoding;
use crate::error::{Error, Result};

const PREFIX: &str = ".pulse-trust-";
const SUFFIX: &str = ".tmp";
const MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Replaces a file, or makes it. It keeps its owner. The lock is checked once more just before the new file is put in
/// place.
pub(super) fn replace(
    place: &Place<'_>,
    path: &Path,
    bytes: &[u8],
    check_lock: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let directory = place.directory.as_fd();
    let existing = match retry_on_intr(|| rustix::fs::statat(directory, place.name, AtFlags::SYMLINK_NOFOLLOW)) {
        Ok(stat) if !FileType::from_raw_mode(stat.st_mode).is_file() => {
            return Err(Error::FileNotRegular { path: shown(path) });
        }
        Ok(stat) => Some(stat),
        Err(Errno::NOENT) => None,
        Err(errno) => return Err(failed("write", path, errno)),
    };
    sweep(directory);
    let temporary =
        Temporary::write(directory, bytes, existing.as_ref()).map_err(|error| failed("write", path, error))?;
    check_lock()?;
    temporary.rename_over(place.name).map_err(|errno| failed("write", path, errno))?;
    sync(directory, path)
}

/// Makes a file as [`replace`] does, unless there is one already, which then stays: `false` says so.
pub(super) fn create(
    place: &Place<'_>,
    path: &Path,
    bytes: &[u8],
    check_lock: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    let directory = place.directory.as_fd();
    let temporary = Temporary::write(directory, bytes, None).map_err(|error| failed("write", path, error))?;
    check_lock()?;
    match temporary.rename_to_new(place.name) {
        Ok(()) => sync(directory, path).map(|()| true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(failed("write", path, errno)),
    }
}

/// Makes the new name durable.
fn sync(directory: BorrowedFd<'_>, path: &Path) -> Result<()> {
    retry_on_intr(|| rustix::fs::fsync(directory)).map_err(|errno| {
        let detail = io::Error::from(errno).to_string();
        Error::FileNotDurable { path: shown(path), detail }
    })
}

/// Removes the temporary files that a killed process has left. The caller holds the directory's lock, so that nobody
/// else is writing one; what cannot be removed is tried again at the next write.
pub(super) fn sweep(directory: BorrowedFd<'_>) {
    let Ok(listing) = Dir::read_from(directory) else {
        return;
    };
    for entry in listing.flatten() {
        let name = entry.file_name().to_bytes();
        if name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes()) {
            let _ = rustix::fs::unlinkat(directory, entry.file_name(), AtFlags::empty());
        }
    }
}

/// A synced temporary file, which is removed when dropped.
pub(super) struct Temporary<'a> {
    directory: BorrowedFd<'a>,
    name: String,
    file: File,
    is_in_place: bool,
}

impl<'a> Temporary<'a> {
    /// Writes one with mode 0600 whatever the umask says, and the owner of the file it will replace, or else that of
    /// the directory.
    pub(super) fn write(directory: BorrowedFd<'a>, bytes: &[u8], replaced: Option<&Stat>) -> io::Result<Self> {
        let random = encoding::random_bytes::<16>().map_err(io::Error::other)?;
        let name = format!("{PREFIX}{}{SUFFIX}", encoding::hex_encode(&random));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(retry_on_intr(|| rustix::fs::openat(directory, name.as_str(), flags, MODE))?);
        let mut temporary = Self { directory, name, file, is_in_place: false };
        retry_on_intr(|| rustix::fs::fchmod(&temporary.file, MODE))?;
        match replaced {
            Some(replaced) => owner::give(&temporary.file, replaced)?,
            None => owner::inherit(&temporary.file, directory)?,
        }
        if !bytes.is_empty() {
            temporary.file.write_all(bytes)?;
            temporary.file.sync_all()?;
        }
        Ok(temporary)
    }

    fn rename_over(mut self, name: &str) -> core::result::Result<(), Errno> {
        retry_on_intr(|| rustix::fs::renameat(self.directory, self.name.as_str(), self.directory, name))?;
        self.is_in_place = true;
        Ok(())
    }

    /// Gives it a name that nothing has; [`Errno::EXIST`] if something has it.
    pub(super) fn rename_to_new(mut self, name: &str) -> core::result::Result<(), Errno> {
        match self.rename_without_replacing(name) {
            // File systems and kernels that do not support this.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                let link =
                    || rustix::fs::linkat(self.directory, self.name.as_str(), self.directory, name, AtFlags::empty());
                retry_on_intr(link)
            }
            renamed => {
                self.is_in_place = renamed.is_ok();
                renamed
            }
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn rename_without_replacing(&self, name: &str) -> core::result::Result<(), Errno> {
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        retry_on_intr(|| rustix::fs::renameat_with(self.directory, self.name.as_str(), self.directory, name, flags))
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    fn rename_without_replacing(&self, _: &str) -> core::result::Result<(), Errno> {
        Err(Errno::NOSYS)
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = rustix::fs::unlinkat(self.directory, self.name.as_str(), AtFlags::empty());
        }
    }
}
