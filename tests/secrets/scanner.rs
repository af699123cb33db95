//! An allocator that looks at what is freed: whether a marked secret is still in it, whole or in half.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The secret that every path is given: a seed, a master key, a token. It is for tests alone.
pub(crate) const MARK: &[u8; 32] = b"MARKED-SECRET-of-32-bytes-memory";

/// The same as text.
pub(crate) fn mark_text() -> &'static str {
    str::from_utf8(MARK).unwrap()
}

/// Both halves of the mark as bytes and in base64, at least 16 bytes each: a buffer that grew may hold one of them.
fn needles() -> &'static [Vec<u8>] {
    static NEEDLES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    NEEDLES.get_or_init(|| {
        let text = BASE64_STANDARD.encode(MARK);
        let (first, last) = MARK.split_at(16);
        // The last two of its 43 characters depend on what follows the mark.
        [first, last, &text.as_bytes()[..16], &text.as_bytes()[16..32]].map(<[u8]>::to_vec).to_vec()
    })
}

/// Where bytes hold a half of the mark.
pub(crate) fn marks(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let is_mark = |rest: &[u8]| needles().iter().any(|needle| rest.starts_with(needle));
    (0..bytes.len()).filter(move |&at| is_mark(&bytes[at..]))
}

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static FOUND: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What was freed with the mark in it during `job`: where, for each.
pub(crate) fn freed_with_mark(job: impl FnOnce()) -> Vec<String> {
    needles();
    FOUND.with_borrow_mut(Vec::clear);
    WATCHED.set(true);
    job();
    WATCHED.set(false);
    FOUND.take()
}

pub(crate) struct Scanner;

impl Scanner {
    fn look(block: &[u8]) {
        // A thread that ends frees what it has of its own; nobody watches it then.
        if !WATCHED.try_with(Cell::get).unwrap_or(false) || marks(block).next().is_none() {
            return;
        }
        WATCHED.set(false);
        let trace = std::backtrace::Backtrace::force_capture().to_string();
        let ours = trace.lines().filter(|line| line.contains("pulse_trust::")).take(6);
        let place = ours.map(str::trim).collect::<Vec<_>>().join(" <- ");
        FOUND.with_borrow_mut(|found| found.push(format!("{} bytes freed in {place}", block.len())));
        WATCHED.set(true);
    }
}

// SAFETY: every call is handed on to the system's allocator; what is freed is read before that.
unsafe impl GlobalAlloc for Scanner {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller says. Zeroed, so that what is read at the end was written.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller says; the block is of this size, and was zeroed or written.
        unsafe {
            Self::look(std::slice::from_raw_parts(block, layout.size()));
            System.dealloc(block, layout);
        }
    }

    // Growing in place is not told from moving: each time what was there is freed, as it may be.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller says.
        unsafe {
            let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return std::ptr::null_mut() };
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
