//! Reading and replacing single files: regular files only, bounded, replaced whole or not at all.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::warning::Warning;

/// Reads a whole file of at most `limit` bytes, without following a symbolic link; `None` where there is none.
pub(super) fn read(path: &Path, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<Zeroizing<Vec<u8>>>> {
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
    if let Some(mode) = wide_mode(&metadata) {
        warnings.push(Warning::WideMode { path: shown(path), mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default()));
    // The file may have grown since: one byte more than the limit says so.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failed("read", path, &error))?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(Some(bytes)),
        _ => Err(too_large(limit.saturating_add(1))),
    }
}

/// Replaces a file: a new, unpredictably named temporary file beside it with mode 0600, written, synced, renamed over
/// it, and the directory synced. On an error the old file is as it was and no other is left.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        // tempfile makes it with mode 0600 and O_EXCL, and removes it when dropped.
        let mut file = tempfile::Builder::new().prefix(".pulse-trust-").suffix(".tmp").tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync_directory(directory)
    };
    refuse_non_regular(path)?;
    write().map_err(|error| failed("write", path, &error))
}

/// How a path is named in errors and warnings.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

pub(super) fn failed(operation: &'static str, path: &Path, error: &io::Error) -> Error {
    Error::File { operation, path: shown(path), detail: error.to_string() }
}

/// A link or a directory in the file's place is not replaced.
fn refuse_non_regular(path: &Path) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(Error::FileNotRegular { path: shown(path) }),
        _ => Ok(()),
    }
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
        Err(Errno::LOOP) => Err(Error::FileNotRegular { path: shown(path) }),
        Err(errno) => Err(failed("open", path, &errno.into())),
    }
}

#[cfg(not(unix))]
fn open_regular(path: &Path) -> Result<Option<File>> {
    refuse_non_regular(path)?;
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("open", path, &error)),
    }
}

#[cfg(unix)]
fn wide_mode(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o177 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn wide_mode(_: &std::fs::Metadata) -> Option<u32> {
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
