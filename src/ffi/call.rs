//! One call across the C boundary. Everything that every function guarantees is implemented here, once: no pointer is
//! dereferenced before it was compared with NULL, no panic crosses the boundary, and outputs are written only when
//! nothing can fail anymore.
//!
//! A job has no access to the outputs: it returns values, and [`call`] writes them. Handles that several threads may
//! use at once are enforced by type: [`borrow`] only takes `Sync` handles.

use core::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::fault::{Fault, pulse_error, pulse_status};

/// Runs a job that can fail, and writes its results to the outputs. On failure the outputs stay unchanged, and the
/// caller receives the error if it asked for one.
///
/// # Safety
/// The outputs and `error` are NULL or valid for a write.
pub(super) unsafe fn call<O: Outputs>(
    error: *mut *mut pulse_error,
    outputs: O,
    job: impl FnOnce() -> Result<O::Values, Fault>,
) -> pulse_status {
    let done = catch_unwind(AssertUnwindSafe(|| {
        outputs.check()?;
        job().map(O::prepare)
    }));
    let fault = match done {
        Ok(Ok(prepared)) => {
            // SAFETY: not NULL, which `check` has seen, and valid as the caller says.
            unsafe { outputs.write(prepared) };
            return pulse_status::OK;
        }
        Ok(Err(fault)) => fault,
        Err(_) => Fault::Panic,
    };
    if !error.is_null() {
        // Failing to create the error, for example for lack of memory, must not end the process either.
        let made = catch_unwind(AssertUnwindSafe(|| Box::into_raw(Box::new(pulse_error::from(&fault)))));
        // SAFETY: valid for a write, as the caller says.
        unsafe { error.write(made.unwrap_or(core::ptr::null_mut())) };
    }
    fault.status()
}

/// Reads from a handle, which cannot fail: `otherwise` is the answer for NULL and for a panic.
///
/// # Safety
/// `handle` is NULL or live, and nobody changes it meanwhile.
pub(super) unsafe fn read<T: Sync, R>(handle: *const T, otherwise: R, job: impl FnOnce(&T) -> R) -> R {
    // SAFETY: as the caller says.
    let handle = unsafe { handle.as_ref() };
    compute(|| handle.map(job)).flatten().unwrap_or(otherwise)
}

/// Computes something that cannot fail; `None` for a panic.
pub(super) fn compute<R>(job: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(job)).ok()
}

/// Frees a handle; NULL is ignored. A handle whose drop panics is leaked.
///
/// # Safety
/// `handle` is NULL or was given by [`call`] and not freed since.
pub(super) unsafe fn free<T: Send>(handle: *mut T) {
    compute(|| {
        if !handle.is_null() {
            // SAFETY: as the caller says.
            drop(unsafe { Box::from_raw(handle) });
        }
    });
}

/// A handle that many threads may use at once.
///
/// # Safety
/// `handle` is NULL or live, and nobody changes it meanwhile.
pub(super) unsafe fn borrow<'a, T: Send + Sync>(handle: *const T, name: &'static str) -> Result<&'a T, Fault> {
    // SAFETY: as the caller says.
    unsafe { handle.as_ref() }.ok_or(Fault::Null(name))
}

/// A handle that the call changes.
///
/// # Safety
/// `handle` is NULL or live, and nobody else uses it meanwhile.
pub(super) unsafe fn borrow_mut<'a, T: Send>(handle: *mut T, name: &'static str) -> Result<&'a mut T, Fault> {
    // SAFETY: as the caller says.
    unsafe { handle.as_mut() }.ok_or(Fault::Null(name))
}

/// Input bytes; `(NULL, 0)` is the empty slice.
///
/// # Safety
/// `data` is NULL or valid for reads of `length` bytes, which nobody changes meanwhile.
pub(super) unsafe fn bytes<'a>(data: *const u8, length: usize, name: &'static str) -> Result<&'a [u8], Fault> {
    if data.is_null() {
        return if length == 0 { Ok(&[]) } else { Err(Fault::Null(name)) };
    }
    if isize::try_from(length).is_err() {
        return Err(Fault::Argument(name, "its length exceeds what memory can hold"));
    }
    // SAFETY: not NULL, not over isize::MAX, and valid as the caller says.
    Ok(unsafe { core::slice::from_raw_parts(data, length) })
}

/// Input text in UTF-8; `(NULL, 0)` is the empty text.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn text<'a>(data: *const c_char, length: usize, name: &'static str) -> Result<&'a str, Fault> {
    // SAFETY: as the caller says.
    let bytes = unsafe { bytes(data.cast(), length, name)? };
    str::from_utf8(bytes).map_err(|_| Fault::Argument(name, "expected UTF-8"))
}

/// An output parameter, and its name for the error.
#[derive(Clone, Copy)]
pub(super) struct Out<T> {
    place: *mut T,
    name: &'static str,
}

impl<T> Out<T> {
    pub(super) const fn new(place: *mut T, name: &'static str) -> Self {
        Self { place, name }
    }

    fn check(&self) -> Result<(), Fault> {
        if self.place.is_null() { Err(Fault::Null(self.name)) } else { Ok(()) }
    }
}

/// All outputs of a function except the error.
pub(super) trait Outputs {
    /// What the job returns.
    type Values;
    /// The same, ready to be written without a step that could fail.
    type Prepared;

    fn check(&self) -> Result<(), Fault>;

    fn prepare(values: Self::Values) -> Self::Prepared;

    /// # Safety
    /// `check` has passed, and every output is valid for a write.
    unsafe fn write(self, prepared: Self::Prepared);
}

impl Outputs for () {
    type Values = ();
    type Prepared = ();

    fn check(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn prepare((): ()) {}

    unsafe fn write(self, (): ()) {}
}

/// A new handle, which the caller frees.
impl<T: Send> Outputs for Out<*mut T> {
    type Values = T;
    type Prepared = Box<T>;

    fn check(&self) -> Result<(), Fault> {
        Out::check(self)
    }

    fn prepare(value: T) -> Box<T> {
        Box::new(value)
    }

    unsafe fn write(self, prepared: Box<T>) {
        // SAFETY: as the caller says.
        unsafe { self.place.write(Box::into_raw(prepared)) };
    }
}

macro_rules! number_outputs {
    ($($number:ty)*) => {$(
        impl Outputs for Out<$number> {
            type Values = $number;
            type Prepared = $number;

            fn check(&self) -> Result<(), Fault> {
                Out::check(self)
            }

            fn prepare(value: $number) -> $number {
                value
            }

            unsafe fn write(self, prepared: $number) {
                // SAFETY: as the caller says.
                unsafe { self.place.write(prepared) };
            }
        }
    )*};
}

number_outputs!(u8 u32 usize);

impl<A: Outputs, B: Outputs> Outputs for (A, B) {
    type Values = (A::Values, B::Values);
    type Prepared = (A::Prepared, B::Prepared);

    fn check(&self) -> Result<(), Fault> {
        self.0.check()?;
        self.1.check()
    }

    fn prepare((a, b): Self::Values) -> Self::Prepared {
        (A::prepare(a), B::prepare(b))
    }

    unsafe fn write(self, (a, b): Self::Prepared) {
        // SAFETY: as the caller says.
        unsafe {
            self.0.write(a);
            self.1.write(b);
        }
    }
}
