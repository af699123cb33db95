//! The files of this machine: regular ones only, bounded, replaced whole or not at all, under a lock.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::files::{Entry, EntryKind, Files, HeldLock, failed, shown};
use crate::encoding;
use crate::error::{Error, Result};
use crate::warning::Warning;

const LOCK_FILE: &str = ".pulse-trust.lock";

/// The machine's own file system.
#[derive(Debug)]
pub(super) struct NativeFiles;

impl Files for NativeFiles {
    fn lock(&self, directory: &Path) -> Result<Option<Box<dyn HeldLock>>> {
        if !directory.is_dir() {
            return Err(Error::FileMissing { path: shown(directory) });
        }
        Ok(take_lock(directory)?.map(|lock| -> Box<dyn HeldLock> { Box::new(FileLock { _file: lock }) }))
    }

    fn read(&self, path: &Path, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<Zeroizing<Vec<u8>>>> {
        read(path, limit, warnings)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        replace(path, bytes)
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> Result<bool> {
        create(path, bytes)
    }

    fn create_directory(&self, path: &Path) -> Result<()> {
        create_directory(path)
    }

    fn entries(&self, directory: &Path) -> Result<Vec<Entry>> {
        entries(directory)
    }

    fn warn_of_directory(&self, directory: &Path, warnings: &mut Vec<Warning>) {
        // The set-group-id bit, which some mounts set on every directory, lets nobody in.
        if let Ok(metadata) = fs::metadata(directory)
            && let Some(mode) = wide_mode(&metadata, 0o2700)
        {
            warnings.push(Warning::WideDirectoryMode { path: shown(directory), mode });
        }
    }
}

/// The operating system's lock goes with the file.
#[derive(Debug)]
struct FileLock {
    _file: File,
}

impl HeldLock for FileLock {}

/// Reads a whole file of at most `limit` bytes, without following a symbolic link; `None` where there is none.
fn read(path: &Path, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match open_regular(path) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata().map_err(|error| failed("read", path, &error))?;
    if !metadata.is_file() {
        return Err(Error::FileNotRegular { path: shown(path) });
    }
    let too_large = |received| Error::FileTooLarge { path: shown(path), limit, received };
    if metadata.len() > limit {
        return Err(too_large(metadata.len()));
    }
    if let Some(mode) = wide_mode(&metadata, 0o600) {
        warnings.push(Warning::WideMode { path: shown(path), mode });
    }
    // Room for one byte more: a buffer that grows leaves a copy of the secret behind.
    let capacity = usize::try_from(metadata.len().saturating_add(1)).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    // The file may have grown since: one byte more than the limit says so.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failed("read", path, &error))?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(Some(bytes)),
        _ => Err(too_large(limit.saturating_add(1))),
    }
}

/// Replaces a file: a new, unpredictably named temporary file beside it with mode 0600, written, synced, renamed over
/// it, and the directory synced. It keeps its owner. On an error the old file is as it was and no other is left.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let existing = match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(Error::FileNotRegular { path: shown(path) }),
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed("write", path, &error)),
    };
    let file = write_temporary(path, bytes, existing.as_ref())?;
    file.persist(path).map_err(|error| failed("write", path, &error.error))?;
    sync_directory(directory_of(path)).map_err(|error| failed("write", path, &error))
}

/// Makes a file as [`replace`] does, but where there is one already, which then stays: `false` says so.
fn create(path: &Path, bytes: &[u8]) -> Result<bool> {
    let file = write_temporary(path, bytes, None)?;
    match file.persist_noclobber(path) {
        Ok(_) => sync_directory(directory_of(path)).map(|()| true).map_err(|error| failed("write", path, &error)),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed("write", path, &error.error)),
    }
}

/// A synced temporary file beside `path`, removed when dropped.
fn write_temporary(path: &Path, bytes: &[u8], replaced: Option<&fs::Metadata>) -> Result<NamedTempFile> {
    // tempfile's own names come from a generator that is not meant to be unpredictable.
    let name = format!(".pulse-trust-{}-", encoding::hex_encode(&encoding::random_bytes::<16>()?));
    let write = || -> io::Result<NamedTempFile> {
        // tempfile makes it with mode 0600 and O_EXCL, and removes it when dropped.
        let mut file = tempfile::Builder::new().prefix(&name).suffix(".tmp").tempfile_in(directory_of(path))?;
        keep_owner(file.as_file(), replaced, directory_of(path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(|error| failed("write", path, &error))
}

/// Gives a new file the owner of the one it replaces, or else the directory's: an operator who runs a tool as root must
/// not lock the runtime out of its own files.
#[cfg(unix)]
fn keep_owner(file: &File, replaced: Option<&fs::Metadata>, directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata()?.uid();
    let give_to = |owner: &fs::Metadata| match owner.uid() == own {
        true => Ok(()),
        false => fchown(file, Some(owner.uid()), Some(owner.gid())),
    };
    match replaced {
        Some(replaced) => give_to(replaced),
        // Who may not give files away keeps the new one: that is how a runtime in another's directory works anyway.
        None => fs::metadata(directory).and_then(|directory| give_to(&directory)).or(Ok(())),
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: Option<&fs::Metadata>, _: &Path) -> io::Result<()> {
    Ok(())
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn open_regular(path: &Path) -> Result<Option<File>> {
    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;
    // NONBLOCK: a FIFO in the file's place must not make us wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => Ok(Some(File::from(descriptor))),
        Err(Errno::NOENT) => Ok(None),
        // A symbolic link, a socket.
        Err(Errno::LOOP | Errno::NXIO) => Err(Error::FileNotRegular { path: shown(path) }),
        Err(errno) => Err(failed("open", path, &io::Error::from(errno))),
    }
}

#[cfg(not(unix))]
fn open_regular(path: &Path) -> Result<Option<File>> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(Error::FileNotRegular { path: shown(path) });
    }
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("open", path, &error)),
    }
}

#[cfg(unix)]
fn wide_mode(metadata: &fs::Metadata, allowed: u32) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    (mode & !allowed != 0).then_some(mode)
}

#[cfg(not(unix))]
fn wide_mode(_: &fs::Metadata, _: u32) -> Option<u32> {
    None
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Takes the lock; `None` where the lock file cannot be written.
fn take_lock(directory: &Path) -> Result<Option<File>> {
    let path = directory.join(LOCK_FILE);
    let not_regular = || Error::FileNotRegular { path: shown(&path) };
    let lock = match open_lock(&path) {
        Ok(lock) => lock,
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            return Ok(None);
        }
        Err(_) if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) => return Err(not_regular()),
        Err(error) => return Err(failed("open", &path, &error)),
    };
    if !lock.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(not_regular());
    }
    keep_owner(&lock, None, directory).map_err(|error| failed("open", &path, &error))?;
    loop {
        match lock.lock() {
            Ok(()) => return Ok(Some(lock)),
            // A signal came while we waited.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed("lock", &path, &error)),
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
fn create_directory(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| failed("create", path, &error))
}

/// In the order of their names, so that the same file is found each time.
fn entries(directory: &Path) -> Result<Vec<Entry>> {
    let listing = match fs::read_dir(directory) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("list", directory, &error)),
    };
    let mut entries = Vec::new();
    for entry in listing {
        let entry = entry.map_err(|error| failed("list", directory, &error))?;
        entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), kind: kind_of(&entry) });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn kind_of(entry: &fs::DirEntry) -> EntryKind {
    match entry.file_type() {
        Ok(kind) if kind.is_dir() => EntryKind::Directory,
        // A link to a directory is not followed, so nobody knows what is behind it.
        Ok(kind) if kind.is_symlink() && entry.path().is_dir() => EntryKind::Unknown,
        Ok(_) => EntryKind::File,
        Err(_) => EntryKind::Unknown,
    }
}
