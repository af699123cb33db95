//! Reading files that somebody else writes: a pipe, a device or a file without an end must not hold up the relay.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// More than any certificate chain, key or settings file has.
const MOST: u64 = 1024 * 1024;

/// Opens a regular file, and does not wait if it is something else.
///
/// # Errors
/// As [`File::open`], and [`io::ErrorKind::InvalidData`] if it is not a regular file.
pub(crate) fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = i32::try_from((flags | OFlags::NONBLOCK).bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "expected a regular file"));
    }
    Ok(file)
}

/// Reads a whole file of at most 1 MiB. Links are followed, because tools that renew certificates use them.
///
/// # Errors
/// As [`open`], and [`io::ErrorKind::FileTooLarge`].
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path, OFlags::empty())?.take(MOST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST) {
        return Ok(bytes);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("expected at most {MOST} bytes")))
}
