//! The owner of what was just made: an operator who runs a tool as root must not lock the runtime out of its own files.

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{Gid, Stat, Uid};
use rustix::io::{Errno, retry_on_intr};

/// Gives what was just made the owner of the directory it is in.
pub(super) fn inherit(made: impl AsFd, directory: BorrowedFd<'_>) -> Result<(), Errno> {
    give(made, &retry_on_intr(|| rustix::fs::fstat(directory))?)
}

/// Gives what was just made another owner. A process that may not give files away keeps it, which lets a runtime work
/// in someone else's directory.
pub(super) fn give(made: impl AsFd, owner: &Stat) -> Result<(), Errno> {
    if retry_on_intr(|| rustix::fs::fstat(&made))?.st_uid == owner.st_uid {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(owner.st_uid), Gid::from_raw(owner.st_gid));
    match retry_on_intr(|| rustix::fs::fchown(&made, Some(uid), Some(gid))) {
        // INVAL: an owner that has no number in this user namespace.
        Ok(()) | Err(Errno::PERM | Errno::INVAL) => Ok(()),
        Err(errno) => Err(errno),
    }
}
