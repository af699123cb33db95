//! Reading a whole regular file, with a limit that is checked before memory is allocated.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fd::AsFd;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};
use zeroize::Zeroizing;

use super::super::files::{failed, shown};
use crate::error::{Error, Result};
use crate::secret::SecretBytes;
use crate::warning::Warning;

/// Reads a file of at most `limit` bytes, without following a symbolic link; `None` if there is none. `path` is its
/// name in errors.
pub(super) fn read(
    directory: impl AsFd,
    name: &Path,
    path: &Path,
    limit: u64,
    warnings: &mut Vec<Warning>,
) -> Result<Option<SecretBytes>> {
    // NONBLOCK: a FIFO in the file's place must not make us wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match retry_on_intr(|| rustix::fs::openat(&directory, name, flags, Mode::empty())) {
        Ok(descriptor) => File::from(descriptor),
        Err(Errno::NOENT) => return Ok(None),
        // A symbolic link, a socket.
        Err(Errno::LOOP | Errno::NXIO) => return Err(Error::FileNotRegular { path: shown(path) }),
        Err(errno) => return Err(failed("read", path, errno)),
    };
    let stat = rustix::fs::fstat(&file).map_err(|errno| failed("read", path, errno))?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(Error::FileNotRegular { path: shown(path) });
    }
    let too_large = |received| Error::FileTooLarge { path: shown(path), limit, received };
    let length = u64::try_from(stat.st_size).unwrap_or_default();
    if length > limit {
        return Err(too_large(length));
    }
    if let Some(mode) = wide_mode(&stat, 0o600) {
        warnings.push(Warning::WideMode { path: shown(path), mode });
    }
    // Room for one more byte, as a buffer that grows would leave a copy of the secret behind.
    let capacity = usize::try_from(length.saturating_add(1)).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    // The file may have grown since: reading one byte more than the limit detects that.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failed("read", path, error))?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(Some(SecretBytes::from(std::mem::take(&mut *bytes)))),
        _ => Err(too_large(limit.saturating_add(1))),
    }
}

/// The permission bits, if one of them is not allowed.
pub(super) fn wide_mode(stat: &Stat, allowed: u32) -> Option<u32> {
    #[allow(clippy::useless_conversion, reason = "the bits are 16 on macOS and FreeBSD")]
    let mode = u32::from(Mode::from_raw_mode(stat.st_mode).bits()) & 0o7777;
    (mode & !allowed != 0).then_some(mode)
}
