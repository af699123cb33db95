//! Whether sockets can be opened at all. Without this, the runtime of the sockets panics where the limit of open files is
//! reached, and the user would see that in place of the reason.

use crate::outcome::Stop;

/// Pairs that are opened and closed again: what the runtime takes before it can report an error, and some for its work.
#[cfg(unix)]
const PAIRS: usize = 12;

/// Refuses to begin where the process may not open enough files.
#[cfg(unix)]
pub(crate) fn check() -> Result<(), Stop> {
    let pairs: std::io::Result<Vec<_>> = (0..PAIRS).map(|_| std::os::unix::net::UnixStream::pair()).collect();
    pairs.map(drop).map_err(|error| {
        Stop::cannot_tell(format!("no sockets: {error}. Raise the limit of open files, which 'ulimit -n' shows"))
    })
}

/// Elsewhere the number of sockets has no such limit.
#[cfg(not(unix))]
pub(crate) fn check() -> Result<(), Stop> {
    Ok(())
}
