//! Files of the data directory: regular, of mode 0600, replaced whole.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;
use tracing::warn;

use crate::regular_file;

/// Makes the directory with mode 0700 if it is missing, and warns if others may put files into it.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).recursive(true).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        let (path, mode) = (path.display(), format!("{mode:04o}"));
        warn!(%path, mode, "other users may write to the data directory, and could put a session key of their own there: run chmod 700");
    }
    Ok(())
}

/// Reads a file of text; `None` if there is none.
///
/// # Errors
/// As [`read_bytes`], and [`io::ErrorKind::InvalidData`] for bytes that are not text.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    let Some(bytes) = read_bytes(path)? else { return Ok(None) };
    let message = "expected text in UTF-8, found other bytes: restore the file, or move it away to start without it";
    String::from_utf8(bytes).map(Some).map_err(|_| invalid(path, message))
}

/// Reads a file; `None` if there is none.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is not a regular file, or is open to others than its owner.
pub(crate) fn read_bytes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = match regular_file::open(path, OFlags::NOFOLLOW) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(invalid(path, "expected a regular file, found a symbolic link: put the file itself there"));
        }
        Err(error) => return Err(named(error)),
    };
    let mode = file.metadata().map_err(named)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(invalid(
            path,
            &format!(
                "expected mode 0600, found {mode:04o}: run chmod 600, and if others may have read it, move it away"
            ),
        ));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(named)?;
    Ok(Some(bytes))
}

/// Replaces a file whole: a reader sees the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(directory)?.sync_all()
}

/// Whether an open file is the one that a restart would find. Writes to a deleted file are lost without an error.
pub(crate) fn is_in_place(file: &fs::File, path: &Path) -> io::Result<()> {
    let (there, ours) = (fs::metadata(path)?, file.metadata()?);
    if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::StaleNetworkFileHandle, "another file is in its place"))
}

/// A file that holds something other than it should.
pub(crate) fn invalid(path: &Path, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", path.display()))
}
