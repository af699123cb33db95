//! WebAssembly: memory for arguments, and what only the host has: random bytes and files.
//!
//! The host gives the module `pulse_host`. A host without files (a browser) answers `FAILED` to every file function.

use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::storage::{Entry, EntryKind, Files, HeldLock};
use crate::warning::Warning;

/// What the host answers. Lengths and handles are 0 or more.
const DONE: i32 = 0;
const ABSENT: i32 = -1;
const NOT_REGULAR: i32 = -2;
const TOO_LARGE: i32 = -3;
const EXISTS: i32 = -4;
const READ_ONLY: i32 = -5;

#[link(wasm_import_module = "pulse_host")]
unsafe extern "C" {
    /// Fills with random bytes: `DONE`, or anything else.
    fn random(out: *mut u8, length: usize) -> i32;
    /// Opens a file and gives its length, to be taken by `take`; `out_mode` is its mode where that is too wide, else 0.
    fn file_read(path: *const u8, path_len: usize, limit: u64, out_mode: *mut u32) -> i32;
    /// Lists a directory: its length as JSON `[["name",kind],...]`, to be taken by `take`; kinds as [`EntryKind`].
    fn file_list(path: *const u8, path_len: usize) -> i32;
    /// Takes the bytes, or the text of the failure, that the last call left.
    fn take(out: *mut u8, length: usize);
    /// The length of the text of the last failure, to be taken by `take`.
    fn failure() -> i32;
    /// Replaces a file, or with `create` other than 0 makes it where there is none.
    fn file_write(path: *const u8, path_len: usize, data: *const u8, length: usize, create: i32) -> i32;
    /// Makes a directory, and those above it.
    fn directory_make(path: *const u8, path_len: usize) -> i32;
    /// The mode of a directory where that is too wide, else 0.
    fn directory_mode(path: *const u8, path_len: usize) -> u32;
    /// Takes a directory's lock: a handle.
    fn lock(path: *const u8, path_len: usize) -> i32;
    /// Lets a lock go.
    fn unlock(handle: i32);
}

/// Memory for an argument or an output; NULL where there is none. To be freed with `pulse_wasm_free` and its length.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_wasm_alloc(length: usize) -> *mut u8 {
    let Ok(layout) = core::alloc::Layout::from_size_align(length.max(1), 8) else {
        return core::ptr::null_mut();
    };
    // SAFETY: the size is not 0.
    unsafe { std::alloc::alloc_zeroed(layout) }
}

/// Wipes and frees memory of `pulse_wasm_alloc`.
///
/// # Safety
/// `data` is NULL or came from `pulse_wasm_alloc` with this length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_wasm_free(data: *mut u8, length: usize) {
    if let (false, Ok(layout)) = (data.is_null(), core::alloc::Layout::from_size_align(length.max(1), 8)) {
        // SAFETY: as the caller says.
        unsafe {
            zeroize::Zeroize::zeroize(core::slice::from_raw_parts_mut(data, length));
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
    fn lock(&self, directory: &Path) -> Result<Option<Box<dyn HeldLock>>> {
        let path = shown(directory);
        // SAFETY: the path is valid for its length.
        match unsafe { lock(path.as_ptr(), path.len()) } {
            READ_ONLY => Ok(None),
            ABSENT => Err(Error::FileMissing { path }),
            handle if handle >= 0 => Ok(Some(Box::new(HostLock { handle }))),
            answer => Err(failed("lock", path, answer)),
        }
    }

    fn read(&self, path: &Path, limit: u64, warnings: &mut Vec<Warning>) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let path = shown(path);
        let mut mode = 0;
        // SAFETY: the path is valid for its length, the mode for a write.
        let answer = unsafe { file_read(path.as_ptr(), path.len(), limit, &raw mut mode) };
        if mode != 0 {
            warnings.push(Warning::WideMode { path: path.clone(), mode });
        }
        match usize::try_from(answer) {
            Ok(length) => Ok(Some(Zeroizing::new(taken(length)))),
            Err(_) if answer == ABSENT => Ok(None),
            Err(_) if answer == TOO_LARGE => {
                Err(Error::FileTooLarge { path, limit, received: limit.saturating_add(1) })
            }
            Err(_) => Err(failed("read", path, answer)),
        }
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        match write(path, bytes, 0) {
            DONE => Ok(()),
            answer => Err(failed("write", shown(path), answer)),
        }
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> Result<bool> {
        match write(path, bytes, 1) {
            DONE => Ok(true),
            EXISTS => Ok(false),
            answer => Err(failed("write", shown(path), answer)),
        }
    }

    fn create_directory(&self, path: &Path) -> Result<()> {
        let path = shown(path);
        // SAFETY: the path is valid for its length.
        match unsafe { directory_make(path.as_ptr(), path.len()) } {
            DONE => Ok(()),
            answer => Err(failed("create", path, answer)),
        }
    }

    fn entries(&self, directory: &Path) -> Result<Vec<Entry>> {
        let path = shown(directory);
        // SAFETY: the path is valid for its length.
        let answer = unsafe { file_list(path.as_ptr(), path.len()) };
        let Ok(length) = usize::try_from(answer) else {
            return if answer == ABSENT { Ok(Vec::new()) } else { Err(failed("list", path, answer)) };
        };
        let listed: Vec<(String, u8)> = crate::json::from_bytes(&taken(length)).map_err(|error| Error::File {
            operation: "list",
            path,
            kind: std::io::ErrorKind::InvalidData,
            detail: error.to_string(),
        })?;
        let kind = |number| match number {
            0 => EntryKind::File,
            1 => EntryKind::Directory,
            _ => EntryKind::Unknown,
        };
        Ok(listed.into_iter().map(|(name, number)| Entry { name, kind: kind(number) }).collect())
    }

    fn warn_of_directory(&self, directory: &Path, warnings: &mut Vec<Warning>) {
        let path = shown(directory);
        // SAFETY: the path is valid for its length.
        let mode = unsafe { directory_mode(path.as_ptr(), path.len()) };
        if mode != 0 {
            warnings.push(Warning::WideDirectoryMode { path, mode });
        }
    }
}

#[derive(Debug)]
struct HostLock {
    handle: i32,
}

impl HeldLock for HostLock {}

impl Drop for HostLock {
    fn drop(&mut self) {
        // SAFETY: any number may be given.
        unsafe { unlock(self.handle) };
    }
}

fn write(path: &Path, bytes: &[u8], create: i32) -> i32 {
    let path = shown(path);
    // SAFETY: both are valid for their lengths.
    unsafe { file_write(path.as_ptr(), path.len(), bytes.as_ptr(), bytes.len(), create) }
}

fn taken(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    // SAFETY: the bytes are valid for a write of their length.
    unsafe { take(bytes.as_mut_ptr(), length) };
    bytes
}

fn failed(operation: &'static str, path: String, answer: i32) -> Error {
    if answer == NOT_REGULAR {
        return Error::FileNotRegular { path };
    }
    // SAFETY: no arguments.
    let length = usize::try_from(unsafe { failure() }).unwrap_or_default();
    let detail = String::from_utf8_lossy(&taken(length)).into_owned();
    // The host says what failed in words alone.
    Error::File { operation, path, kind: std::io::ErrorKind::Other, detail }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
