//! Directories: opened one component at a time, made, listed.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::super::files::{Entry, EntryKind};
use super::owner;

const MODE: Mode = Mode::RWXU;

fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Opens the directory at a path that the operator has chosen, which may lead through links.
pub(super) fn open_followed(path: &Path) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    retry_on_intr(|| rustix::fs::open(path, flags(), Mode::empty()))
}

fn open_below(parent: impl AsFd, name: impl AsRef<OsStr>) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| rustix::fs::openat(&parent, name.as_ref(), flags() | OFlags::NOFOLLOW, Mode::empty()))
}

/// The directory that a file is in, and the file's own name there.
pub(super) struct Place<'a> {
    pub(super) directory: Opened<'a>,
    pub(super) name: &'a str,
}

/// The data directory itself, or one below it that was opened for this access.
pub(super) enum Opened<'a> {
    Root(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl AsFd for Opened<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Root(descriptor) => *descriptor,
            Self::Below(descriptor) => descriptor.as_fd(),
        }
    }
}

impl<'a> Place<'a> {
    /// Where a relative name is; `None` if one of its directories is absent.
    pub(super) fn find(root: &'a OwnedFd, name: &'a str) -> Result<Option<Self>, Errno> {
        match name.rsplit_once('/') {
            None => Ok(Some(Self { directory: Opened::Root(root.as_fd()), name })),
            Some((parents, name)) => {
                Ok(descend(root, parents)?.map(|found| Self { directory: Opened::Below(found), name }))
            }
        }
    }
}

/// The directory of a relative name that is not empty; `None` if it is absent.
fn descend(root: &OwnedFd, name: &str) -> Result<Option<OwnedFd>, Errno> {
    let mut found: Option<OwnedFd> = None;
    for part in name.split('/') {
        let parent = found.as_ref().unwrap_or(root);
        match open_below(parent, part) {
            Ok(descriptor) => found = Some(descriptor),
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno),
        }
    }
    Ok(found)
}

/// Makes the directories of a relative name.
pub(super) fn create_below(root: &OwnedFd, name: &str) -> Result<(), Errno> {
    let mut last: Option<OwnedFd> = None;
    for part in name.split('/') {
        let made = create(last.as_ref().unwrap_or(root), part)?;
        last = Some(made);
    }
    Ok(())
}

/// Makes the directory at a path, and those above it that are missing.
pub(super) fn create_with_parents(path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut existing = path;
    let mut directory = loop {
        match open_followed(existing) {
            Ok(descriptor) => break descriptor,
            Err(Errno::NOENT) => {
                let name = existing.file_name().ok_or(Errno::NOENT)?;
                missing.push(name);
                existing = existing.parent().unwrap_or(Path::new(""));
            }
            Err(errno) => return Err(errno.into()),
        }
    };
    for name in missing.into_iter().rev() {
        directory = create(&directory, name)?;
    }
    Ok(())
}

/// Makes one directory, if it is missing, with mode 0700 whatever the umask says, and syncs its parent.
fn create(parent: &OwnedFd, name: impl AsRef<OsStr>) -> Result<OwnedFd, Errno> {
    match retry_on_intr(|| rustix::fs::mkdirat(parent, name.as_ref(), MODE)) {
        Ok(()) => {
            let made = open_below(parent, name)?;
            retry_on_intr(|| rustix::fs::fchmod(&made, MODE))?;
            owner::inherit(&made, parent.as_fd())?;
            retry_on_intr(|| rustix::fs::fsync(parent))?;
            Ok(made)
        }
        Err(Errno::EXIST) => open_below(parent, name),
        // A file system that cannot be written to answers so for a directory that is there, too.
        Err(errno) => open_below(parent, name).map_err(|_| errno),
    }
}

/// What a directory holds, in the order of the names, so that the same file is found each time.
pub(super) fn entries(root: &OwnedFd, name: &str) -> Result<Vec<Entry>, Errno> {
    let below = match name {
        "" => None,
        _ => match descend(root, name)? {
            Some(found) => Some(found),
            None => return Ok(Vec::new()),
        },
    };
    let directory = below.as_ref().unwrap_or(root).as_fd();
    let mut entries = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let bytes = entry.file_name().to_bytes();
        if bytes == b"." || bytes == b".." {
            continue;
        }
        let kind = match str::from_utf8(bytes) {
            Ok(_) => kind_of(directory, &entry),
            Err(_) => EntryKind::Unknown,
        };
        entries.push(Entry { name: String::from_utf8_lossy(bytes).into_owned(), kind });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn kind_of(directory: BorrowedFd<'_>, entry: &rustix::fs::DirEntry) -> EntryKind {
    let kind = match entry.file_type() {
        // Some file systems do not report it here.
        FileType::Unknown => match rustix::fs::statat(directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            Err(_) => FileType::Unknown,
        },
        known => known,
    };
    match kind {
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink | FileType::Unknown => EntryKind::Unknown,
        _ => EntryKind::File,
    }
}
