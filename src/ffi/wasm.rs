//! WebAssembly: memory for arguments, and the imports for what only the host has, which is random bytes and files.
//!
//! The host provides the import module `pulse_host`. A host without files, such as a browser, answers -6 to every file
//! function. A host with files must keep the guarantees of [`Files`] and [`DirectoryFiles`].

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::secret::SecretBytes;
use crate::storage::{DirectoryFiles, Entry, EntryKind, Files, LOCK_FILE};
use crate::warning::Warning;

/// The answers of the host. Lengths and handles are 0 or more.
const DONE: i32 = 0;
const ABSENT: i32 = -1;
const NOT_REGULAR: i32 = -2;
const TOO_LARGE: i32 = -3;
const EXISTS: i32 = -4;
const NOT_DURABLE: i32 = -5;
/// Another process or thread holds the lock. -6 and every other negative number mean that the operation failed, and
/// `failure` says why.
const BUSY: i32 = -7;
/// The directory was opened, but its lock file failed, and `failure` says why.
const LOCK_FAILED: i32 = -8;

/// Passed instead of a directory's handle if the name is an absolute path.
const NO_DIRECTORY: i32 = -1;

// The host implements these as its package says, and reads and writes nothing but what it is passed. Each pointer is
// that of a slice or a number that lives until the call returns.
#[link(wasm_import_module = "pulse_host")]
unsafe extern "C" {
    /// Fills `out` with random bytes, and answers `DONE`; anything else is a failure.
    fn random(out: *mut u8, length: usize) -> i32;
    /// Opens a directory and takes its lock without waiting, and answers a handle, `BUSY` or `ABSENT`. A directory that
    /// can only be read is opened without a lock: then `out_read_only` is 1, and `failure` says why.
    fn lock(path: *const u8, path_len: usize, out_read_only: *mut i32) -> i32;
    /// Opens a directory for reading alone, without a lock, and answers a handle or `ABSENT`.
    fn open_read_only(path: *const u8, path_len: usize) -> i32;
    /// Closes a directory and releases its lock.
    fn unlock(directory: i32);
    /// Reads a file and answers its length; `take` then copies the bytes. `out_mode` is its mode if that is too
    /// permissive, else 0. Of a file that is too large, `failure` says the length in decimal digits.
    fn file_read(directory: i32, name: *const u8, name_len: usize, limit: u64, out_mode: *mut u32) -> i32;
    /// Lists a directory as JSON, `[["name",kind],...]`, and answers the length of that; `take` then copies the text.
    /// The kinds are 0 for a file, 1 for a directory and 2 for anything else, as in [`EntryKind`].
    fn file_list(directory: i32, name: *const u8, name_len: usize) -> i32;
    /// Replaces a file; if `create` is not 0, only creates it if it does not exist.
    fn file_write(directory: i32, name: *const u8, name_len: usize, data: *const u8, length: usize, create: i32)
    -> i32;
    /// Creates a directory and its missing parents.
    fn directory_make(directory: i32, name: *const u8, name_len: usize) -> i32;
    /// The mode of a locked directory if that is too permissive, else 0.
    fn directory_mode(directory: i32) -> u32;
    /// Copies the bytes that the last call left, or the text of its failure.
    fn take(out: *mut u8, length: usize);
    /// The length of the text of the last failure; `take` then copies it.
    fn failure() -> i32;
}

/// Memory for an argument or an output; NULL if there is not enough. Free it with `pulse_wasm_free` and the same
/// length.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_wasm_alloc(length: usize) -> *mut u8 {
    let Ok(layout) = core::alloc::Layout::from_size_align(length.max(1), 8) else {
        return core::ptr::null_mut();
    };
    // SAFETY: the size is not 0.
    unsafe { std::alloc::alloc_zeroed(layout) }
}

/// Wipes and frees memory that `pulse_wasm_alloc` allocated.
///
/// # Safety
/// `data` is NULL or came from `pulse_wasm_alloc` with this length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_wasm_free(data: *mut u8, length: usize) {
    if let (false, Ok(layout)) = (data.is_null(), core::alloc::Layout::from_size_align(length.max(1), 8)) {
        // SAFETY: as the caller says.
        unsafe {
            crate::secret::wipe(core::slice::from_raw_parts_mut(data, length));
            std::alloc::dealloc(data, layout);
        }
    }
}

/// getrandom's custom backend.
///
/// # Safety
/// `out` is valid for a write of `length` bytes.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(
    out: *mut u8,
    length: usize,
) -> core::result::Result<(), getrandom::Error> {
    // SAFETY: as the caller says.
    if unsafe { random(out, length) } == DONE { Ok(()) } else { Err(getrandom::Error::UNSUPPORTED) }
}

/// The host's files.
#[derive(Debug)]
pub(super) struct HostFiles;

impl Files for HostFiles {
    fn create_directory(&self, path: &Path) -> Result<()> {
        make_directory(NO_DIRECTORY, &shown(path), path)
    }

    fn try_lock(&self, path: &Path) -> Result<Option<Box<dyn DirectoryFiles>>> {
        let text = shown(path);
        let mut is_read_only = 0;
        // SAFETY: the path is valid for its length, the flag for a write.
        let handle = match unsafe { lock(text.as_ptr(), text.len(), &raw mut is_read_only) } {
            BUSY => return Ok(None),
            ABSENT => return Err(Error::FileMissing { path: text }),
            handle if handle >= 0 => handle,
            answer @ (NOT_REGULAR | LOCK_FAILED) => return Err(failed("lock", &path.join(LOCK_FILE), answer)),
            answer => return Err(failed("open", path, answer)),
        };
        let read_only_reason =
            (is_read_only != 0).then(|| format!("its lock file cannot be created or opened: {}", last_failure()));
        Ok(Some(Box::new(HostDirectory { handle, path: path.to_owned(), read_only_reason })))
    }

    fn open_read_only(&self, path: &Path) -> Result<Box<dyn DirectoryFiles>> {
        let text = shown(path);
        // SAFETY: the path is valid for its length.
        match unsafe { open_read_only(text.as_ptr(), text.len()) } {
            ABSENT => Err(Error::FileMissing { path: text }),
            handle if handle >= 0 => {
                let read_only_reason = Some("it was opened for reading alone".to_owned());
                Ok(Box::new(HostDirectory { handle, path: path.to_owned(), read_only_reason }))
            }
            answer => Err(failed("open", path, answer)),
        }
    }

    fn read_outside(&self, path: &Path, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<SecretBytes>> {
        read(NO_DIRECTORY, &shown(path), path, limit, warnings)
    }
}

/// A directory that the host has opened, and locked unless it can only be read.
#[derive(Debug)]
struct HostDirectory {
    handle: i32,
    /// Only for errors and warnings.
    path: PathBuf,
    read_only_reason: Option<String>,
}

impl DirectoryFiles for HostDirectory {
    fn read_only_reason(&self) -> Option<&str> {
        self.read_only_reason.as_deref()
    }

    fn read(&self, name: &str, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<SecretBytes>> {
        read(self.handle, name, &self.path.join(name), limit, warnings)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        match self.write(name, bytes, 0) {
            DONE => Ok(()),
            answer => Err(failed("write", &self.path.join(name), answer)),
        }
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        match self.write(name, bytes, 1) {
            DONE => Ok(true),
            EXISTS => Ok(false),
            answer => Err(failed("write", &self.path.join(name), answer)),
        }
    }

    fn create_directory(&self, name: &str) -> Result<()> {
        make_directory(self.handle, name, &self.path.join(name))
    }

    fn entries(&self, name: &str) -> Result<Vec<Entry>> {
        // SAFETY: the name is valid for its length.
        let answer = unsafe { file_list(self.handle, name.as_ptr(), name.len()) };
        let path = self.path.join(name);
        let Ok(length) = usize::try_from(answer) else {
            return if answer == ABSENT { Ok(Vec::new()) } else { Err(failed("list", &path, answer)) };
        };
        let listed: Vec<(String, u8)> = crate::json::from_bytes(&taken(length)).map_err(|error| Error::File {
            operation: "list",
            path: shown(&path),
            kind: io::ErrorKind::InvalidData,
            detail: format!("the host's list is refused at line {} column {}", error.line(), error.column()),
        })?;
        let kind = |number| match number {
            0 => EntryKind::File,
            1 => EntryKind::Directory,
            _ => EntryKind::Unknown,
        };
        Ok(listed.into_iter().map(|(name, number)| Entry { name, kind: kind(number) }).collect())
    }

    fn warn_of_mode(&self, warnings: &mut Vec<Warning>) {
        // SAFETY: any number may be given.
        let mode = unsafe { directory_mode(self.handle) };
        if mode != 0 {
            warnings.push(Warning::WideDirectoryMode { path: shown(&self.path), mode });
        }
    }
}

impl HostDirectory {
    fn write(&self, name: &str, bytes: &[u8], create: i32) -> i32 {
        // SAFETY: both are valid for their lengths.
        unsafe { file_write(self.handle, name.as_ptr(), name.len(), bytes.as_ptr(), bytes.len(), create) }
    }
}

impl Drop for HostDirectory {
    fn drop(&mut self) {
        // SAFETY: any number may be given.
        unsafe { unlock(self.handle) };
    }
}

fn read(
    directory: i32,
    name: &str,
    path: &Path,
    limit: u64,
    warnings: &mut Vec<Warning>,
) -> Result<Option<SecretBytes>> {
    let mut mode = 0;
    // SAFETY: the name is valid for its length, the mode for a write.
    let answer = unsafe { file_read(directory, name.as_ptr(), name.len(), limit, &raw mut mode) };
    if mode != 0 {
        warnings.push(Warning::WideMode { path: shown(path), mode });
    }
    match usize::try_from(answer) {
        Ok(length) => Ok(Some(SecretBytes::from(taken(length)))),
        Err(_) if answer == ABSENT => Ok(None),
        Err(_) if answer == TOO_LARGE => {
            let received = last_failure().parse().unwrap_or_else(|_| limit.saturating_add(1));
            Err(Error::FileTooLarge { path: shown(path), limit, received })
        }
        Err(_) => Err(failed("read", path, answer)),
    }
}

fn make_directory(directory: i32, name: &str, path: &Path) -> Result<()> {
    // SAFETY: the name is valid for its length.
    match unsafe { directory_make(directory, name.as_ptr(), name.len()) } {
        DONE => Ok(()),
        answer => Err(failed("create", path, answer)),
    }
}

fn taken(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    // SAFETY: the bytes are valid for a write of their length.
    unsafe { take(bytes.as_mut_ptr(), length) };
    bytes
}

fn last_failure() -> String {
    // SAFETY: no arguments.
    let length = usize::try_from(unsafe { failure() }).unwrap_or_default();
    String::from_utf8_lossy(&taken(length)).into_owned()
}

fn failed(operation: &'static str, path: &Path, answer: i32) -> Error {
    let path = shown(path);
    match answer {
        NOT_REGULAR => Error::FileNotRegular { path },
        NOT_DURABLE => Error::FileNotDurable { path, detail: last_failure() },
        _ => Error::File { operation, path, kind: io::ErrorKind::Other, detail: last_failure() },
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
