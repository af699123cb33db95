//! One call over the line: arguments in, panics caught, outputs only on success.

use core::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::buffer::pulse_buffer;
use super::error::{Fault, pulse_error, pulse_status};

/// Runs one fallible job. What it returns becomes the status, and an error where the caller asked for one.
///
/// # Safety
/// `error` is NULL or valid for a write.
pub(super) unsafe fn guard(error: *mut *mut pulse_error, job: impl FnOnce() -> Result<(), Fault>) -> pulse_status {
    let fault = match catch_unwind(AssertUnwindSafe(job)) {
        Ok(Ok(())) => return pulse_status::OK,
        Ok(Err(fault)) => fault,
        Err(_) => Fault::Panic,
    };
    let status = fault.status();
    if !error.is_null() {
        // An error that cannot be made, for want of memory say, must not end the process either.
        let made = catch_unwind(AssertUnwindSafe(|| Box::into_raw(Box::new(pulse_error::new(&fault)))));
        // SAFETY: the caller gave a pointer that is valid for a write.
        unsafe { error.write(made.unwrap_or(core::ptr::null_mut())) };
    }
    status
}

/// Runs one job that cannot fail but by a panic or a NULL, which give `otherwise`.
pub(super) fn guard_or<T>(otherwise: T, job: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(job)).ok().flatten().unwrap_or(otherwise)
}

/// A handle that the caller holds.
///
/// # Safety
/// `handle` is NULL or a live handle that nobody changes meanwhile.
pub(super) unsafe fn borrow<'a, T>(handle: *const T, name: &'static str) -> Result<&'a T, Fault> {
    // SAFETY: as the caller says.
    unsafe { handle.as_ref() }.ok_or(Fault::Null(name))
}

/// A handle that the call changes.
///
/// # Safety
/// `handle` is NULL or a live handle that nobody else uses meanwhile.
pub(super) unsafe fn borrow_mut<'a, T>(handle: *mut T, name: &'static str) -> Result<&'a mut T, Fault> {
    // SAFETY: as the caller says.
    unsafe { handle.as_mut() }.ok_or(Fault::Null(name))
}

/// Bytes that came in; `(NULL, 0)` is the empty slice.
///
/// # Safety
/// `data` is NULL or valid for reads of `length` bytes that nobody changes meanwhile.
pub(super) unsafe fn bytes<'a>(data: *const u8, length: usize, name: &'static str) -> Result<&'a [u8], Fault> {
    if data.is_null() {
        return if length == 0 { Ok(&[]) } else { Err(Fault::Null(name)) };
    }
    if isize::try_from(length).is_err() {
        return Err(Fault::Argument(name, "the length is over what a slice can have"));
    }
    // SAFETY: not NULL, not over isize::MAX, and valid as the caller says.
    Ok(unsafe { core::slice::from_raw_parts(data, length) })
}

/// Text that came in: UTF-8; `(NULL, 0)` is the empty text.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn text<'a>(data: *const c_char, length: usize, name: &'static str) -> Result<&'a str, Fault> {
    // SAFETY: as the caller says.
    let bytes = unsafe { bytes(data.cast(), length, name)? };
    str::from_utf8(bytes).map_err(|_| Fault::Argument(name, "not UTF-8"))
}

/// An array of a fixed length that came in.
///
/// # Safety
/// `data` is NULL or valid for reads of `N` bytes.
pub(super) unsafe fn array<'a, const N: usize>(data: *const u8, name: &'static str) -> Result<&'a [u8; N], Fault> {
    // SAFETY: an array of bytes has no alignment; valid as the caller says.
    unsafe { data.cast::<[u8; N]>().as_ref() }.ok_or(Fault::Null(name))
}

/// Where a result goes.
pub(super) struct Out<T> {
    place: *mut T,
}

impl<T> Out<T> {
    /// # Safety
    /// `place` is NULL or valid for a write until the call returns.
    pub(super) unsafe fn new(place: *mut T, name: &'static str) -> Result<Self, Fault> {
        if place.is_null() { Err(Fault::Null(name)) } else { Ok(Self { place }) }
    }

    /// Writes the result: the last step of a job, after all that can fail.
    pub(super) fn put(self, value: T) {
        // SAFETY: `new` was promised a pointer that is valid for a write.
        unsafe { self.place.write(value) };
    }
}

impl<T> Out<*mut T> {
    /// Hands a new handle to the caller, who frees it.
    pub(super) fn give(self, value: T) {
        self.put(Box::into_raw(Box::new(value)));
    }
}

impl Out<*mut pulse_buffer> {
    /// Hands bytes to the caller, who frees them; they are wiped then.
    pub(super) fn give_bytes(self, bytes: impl AsRef<[u8]>) {
        self.give(pulse_buffer::new(bytes.as_ref()));
    }
}

/// Frees a handle; NULL is nothing to free. It is leaked where its drop panics.
///
/// # Safety
/// `handle` is NULL or came from [`Out::give`] and was not freed.
pub(super) unsafe fn free<T>(handle: *mut T) {
    guard_or((), || {
        if !handle.is_null() {
            // SAFETY: as the caller says.
            drop(unsafe { Box::from_raw(handle) });
        }
        Some(())
    });
}
