//! The lock of a data directory: a lock file in it, which every process and thread locks with `flock`, and the directory
//! itself, whose lock nobody can delete.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::super::files::{LOCK_FILE, failed, shown};
use super::directory::open_followed;
use super::write::Temporary;
use crate::error::{Error, Result};

/// The outcome of an attempt.
pub(super) enum Attempt {
    /// The lock is held until this is dropped.
    Held(HeldLock),
    /// Nobody can write here; this is why.
    ReadOnly(String),
    /// Someone else holds it, or has replaced the lock file or the directory meanwhile.
    NotYet,
}

/// A lock that is held. `flock` belongs to the open file, which a forked child shares: closing the descriptor here would
/// not release it, and nothing that the child does may release it.
#[derive(Debug)]
pub(super) struct HeldLock {
    file: OwnedFd,
    /// A second descriptor of the directory.
    directory: OwnedFd,
    /// The process that took it.
    holder: u32,
}

impl HeldLock {
    /// Without waiting; `None` if somebody else holds one of the two.
    fn take(file: OwnedFd, root: &OwnedFd) -> Result<Option<Self>, Errno> {
        let directory = rustix::io::fcntl_dupfd_cloexec(root, 0)?;
        if !try_flock(&file)? {
            return Ok(None);
        }
        let held = Self { file, directory, holder: std::process::id() };
        match try_flock(&held.directory) {
            Ok(false) => Ok(None),
            // A file system that locks no directories has the file's lock alone.
            Ok(true) | Err(_) => Ok(Some(held)),
        }
    }

    /// Why this process may not use the lock.
    pub(super) fn check_process(&self) -> io::Result<()> {
        let (holder, this) = (self.holder, std::process::id());
        if holder == this {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "process {holder} holds its lock, and this is process {this}, which began as a fork of it: unlock it here, which \
             leaves the other's lock alone, and lock it again"
        )))
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        if self.holder == std::process::id() {
            for locked in [&self.directory, &self.file] {
                // What cannot be released here is released with the last copy of the descriptor.
                let _ = retry_on_intr(|| rustix::fs::flock(locked, FlockOperation::Unlock));
            }
        }
    }
}

/// Whether the lock was taken; not if somebody else holds it.
fn try_flock(file: &OwnedFd) -> Result<bool, Errno> {
    match retry_on_intr(|| rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Tries to take the lock of the directory that was opened as `root`, and that `path` led to.
pub(super) fn attempt(root: &OwnedFd, path: &Path) -> Result<Attempt> {
    let lock_path = path.join(LOCK_FILE);
    let not_regular = || Error::FileNotRegular { path: shown(&lock_path) };
    let cannot_lock = |errno: Errno| failed("lock", &lock_path, errno);
    let lock = match open_or_make(root) {
        Ok(Some(lock)) => lock,
        Ok(None) => return Ok(Attempt::NotYet),
        Err(Errno::NOENT) if is_deleted(root) => return Err(Error::FileMissing { path: shown(path) }),
        Err(errno) if prevents_writing(errno) => {
            let reason = format!("its lock file cannot be created or opened: {}", io::Error::from(errno));
            return Ok(Attempt::ReadOnly(reason));
        }
        Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => return Err(not_regular()),
        Err(errno) => return Err(cannot_lock(errno)),
    };
    let stat = rustix::fs::fstat(&lock).map_err(cannot_lock)?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(not_regular());
    }
    let Some(lock) = HeldLock::take(lock, root).map_err(cannot_lock)? else { return Ok(Attempt::NotYet) };
    let is_current = is_lock_file(root, &lock).and_then(|is| Ok(is && leads_to(path, root)?));
    if !is_current.map_err(cannot_lock)? {
        return Ok(Attempt::NotYet);
    }
    refuse_links(&lock.file, &lock_path)?;
    narrow(&lock.file, &stat);
    Ok(Attempt::Held(lock))
}

/// Opens the lock file; makes it if there is none. It appears with its mode and its owner, or not at all. `None` if
/// others have made and removed it in the meantime, or have swept away the file that was being made.
fn open_or_make(root: &OwnedFd) -> Result<Option<OwnedFd>, Errno> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = || retry_on_intr(|| rustix::fs::openat(root, LOCK_FILE, flags, Mode::empty()));
    match open() {
        Err(Errno::NOENT) => {}
        opened => return opened.map(Some),
    }
    let made = Temporary::write(root.as_fd(), &[], None).map_err(errno_of)?;
    let opened = match made.rename_to_new(LOCK_FILE) {
        Ok(()) | Err(Errno::EXIST) => open(),
        Err(errno) => Err(errno),
    };
    match opened {
        Ok(lock) => Ok(Some(lock)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Whether the directory was removed after it had been opened, so that nothing can be made in it.
fn is_deleted(root: &OwnedFd) -> bool {
    rustix::fs::fstat(root).is_ok_and(|stat| stat.st_nlink == 0)
}

fn errno_of(error: io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// Whether no file can be made or opened for writing here, so there is nobody to lock out either.
fn prevents_writing(errno: Errno) -> bool {
    matches!(errno, Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::NOSPC | Errno::DQUOT)
}

/// Whether the file that was locked is still the lock file of its directory.
pub(super) fn is_lock_file(root: &OwnedFd, lock: &HeldLock) -> Result<bool, Errno> {
    match retry_on_intr(|| rustix::fs::statat(root, LOCK_FILE, AtFlags::SYMLINK_NOFOLLOW)) {
        Ok(found) => Ok(is_same(&found, &retry_on_intr(|| rustix::fs::fstat(&lock.file))?)),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Whether a path still leads to the directory that was opened.
fn leads_to(path: &Path, root: &OwnedFd) -> Result<bool, Errno> {
    match open_followed(path) {
        Ok(now) => Ok(is_same(&rustix::fs::fstat(&now)?, &rustix::fs::fstat(root)?)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn is_same(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

/// A lock file with a second name may be someone else's file. One that is just being created has two names for a moment
/// if the file system has no better way.
fn refuse_links(lock: &OwnedFd, path: &Path) -> Result<()> {
    for attempt in 0..5_u8 {
        let stat = rustix::fs::fstat(lock).map_err(|errno| failed("lock", path, errno))?;
        // The width of the number differs between systems.
        #[allow(clippy::useless_conversion, reason = "the width differs between systems")]
        if u64::from(stat.st_nlink) <= 1 {
            return Ok(());
        }
        if attempt < 4 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let detail = "it has a second name (a hard link): remove the file, and it will be created again";
    Err(failed("lock", path, io::Error::other(detail)))
}

/// Others must not lock it. The mode stays if the file belongs to someone else.
fn narrow(lock: &OwnedFd, stat: &Stat) {
    let mode = Mode::RUSR | Mode::WUSR;
    if Mode::from_raw_mode(stat.st_mode) != mode {
        let _ = rustix::fs::fchmod(lock, mode);
    }
}
