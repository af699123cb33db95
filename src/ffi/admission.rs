//! A relay's decision on REGISTER over the line.

use core::ffi::c_char;
use core::time::Duration;
use std::ffi::CString;
use std::sync::{PoisonError, RwLock};

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, free, guard, guard_or, text};
use super::error::{Fault, c_text, pulse_error, pulse_status};
use super::json;
use super::keys::pulse_trust_keys;
use super::token::{PULSE_KIND_NONE, PULSE_NEVER, kind_number, pulse_kind};
use crate::relay::{Admission, Registration, RevocationList};
use crate::time::{ClockLeeway, UnixTime};

/// A relay's trust keys, rules and revocations. Many threads may use one at once, to revoke too.
pub struct pulse_admission {
    admission: Admission,
    revocations: RwLock<RevocationList>,
}

/// A registration that may be answered with an ACK.
pub struct pulse_registration {
    registration: Registration,
    instance_id: CString,
}

/// What is revoked: `PULSE_REVOKE_...`.
pub type pulse_revocation = i32;
/// A license id (`lid`).
pub const PULSE_REVOKE_LICENSE: pulse_revocation = 1;
/// An installation id (`iid`).
pub const PULSE_REVOKE_INSTALLATION: pulse_revocation = 2;
/// A token id (`jti`).
pub const PULSE_REVOKE_TOKEN: pulse_revocation = 3;

/// Admission under these keys. `leeway_seconds`, at most 300, is how far the clocks of control plane and relay may
/// differ.
///
/// # Safety
/// `keys` is NULL or live; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_admission_new(
    keys: *const pulse_trust_keys,
    leeway_seconds: u32,
    out: *mut *mut pulse_admission,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            let leeway = ClockLeeway::new(Duration::from_secs(leeway_seconds.into()))?;
            let admission = Admission::new(borrow(keys, "keys")?.keys.clone()).with_leeway(leeway);
            out.give(pulse_admission { admission, revocations: RwLock::default() });
            Ok(())
        })
    }
}

/// Revokes what has this id. It counts from the next admission on.
///
/// # Safety
/// `admission` is NULL or live, `id` is valid for `id_len` bytes; `error` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_admission_revoke(
    admission: *const pulse_admission,
    what: pulse_revocation,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let id = text(id, id_len, "id")?;
            let mut list = borrow(admission, "admission")?.revocations.write().unwrap_or_else(PoisonError::into_inner);
            match what {
                PULSE_REVOKE_LICENSE => list.revoke_license(id),
                PULSE_REVOKE_INSTALLATION => list.revoke_installation(id),
                PULSE_REVOKE_TOKEN => list.revoke_token(id),
                _ => return Err(Fault::Argument("what", "none of PULSE_REVOKE_...")),
            }
            Ok(())
        })
    }
}

/// Decides on one registration: verifies the token under the keys of its kind, asks for the `relay` capability and for
/// revocations, and derives the instance id. `hint` is the instance secret, which a license or grant needs. For a
/// refusal, `pulse_error_wire_code` is what the ERROR frame says.
///
/// # Safety
/// `admission` is NULL or live, the texts are valid for their lengths; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_admission_admit(
    admission: *const pulse_admission,
    token: *const c_char,
    token_len: usize,
    hint: *const c_char,
    hint_len: usize,
    now: i64,
    out: *mut *mut pulse_registration,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            let admission = borrow(admission, "admission")?;
            let token = text(token, token_len, "token")?;
            let hint = Some(text(hint, hint_len, "hint")?);
            let revocations = admission.revocations.read().unwrap_or_else(PoisonError::into_inner);
            let registration = admission.admission.admit(token, hint, &*revocations, UnixTime::from_secs(now))?;
            let instance_id = c_text(registration.instance_id.as_str());
            out.give(pulse_registration { registration, instance_id });
            Ok(())
        })
    }
}

/// Frees an admission; NULL is nothing to free.
///
/// # Safety
/// `admission` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_admission_free(admission: *mut pulse_admission) {
    // SAFETY: as the caller says.
    unsafe { free(admission) };
}

/// The id under which phones reach the instance, NUL-terminated; NULL for NULL. Valid as long as the registration.
///
/// # Safety
/// `registration` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_instance_id(registration: *const pulse_registration) -> *const c_char {
    guard_or(core::ptr::null(), || {
        // SAFETY: as the caller says.
        Some(unsafe { borrow(registration, "registration") }.ok()?.instance_id.as_ptr())
    })
}

/// The kind of credential; `PULSE_KIND_NONE` for NULL.
///
/// # Safety
/// `registration` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_kind(registration: *const pulse_registration) -> pulse_kind {
    guard_or(PULSE_KIND_NONE, || {
        // SAFETY: as the caller says.
        Some(kind_number(unsafe { borrow(registration, "registration") }.ok()?.registration.kind))
    })
}

/// From this moment on, in Unix seconds, the credential no longer counts; `PULSE_NEVER` for a lifetime license, 0 for
/// NULL.
///
/// # Safety
/// `registration` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_expires_at(registration: *const pulse_registration) -> i64 {
    guard_or(0, || {
        // SAFETY: as the caller says.
        let registration = &unsafe { borrow(registration, "registration") }.ok()?.registration;
        Some(registration.expires_at.map_or(PULSE_NEVER, UnixTime::as_secs))
    })
}

/// The capabilities that count at `now`, as a sorted JSON array.
///
/// # Safety
/// `registration` is NULL or live; `out_json` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_capabilities_json(
    registration: *const pulse_registration,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out_json, "out_json")?;
            let registration = &borrow(registration, "registration")?.registration;
            let capabilities = registration.capabilities_at(UnixTime::from_secs(now));
            out.give_bytes(json::secret_text(&capabilities)?.as_bytes());
            Ok(())
        })
    }
}

/// Frees a registration; NULL is nothing to free.
///
/// # Safety
/// `registration` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_free(registration: *mut pulse_registration) {
    // SAFETY: as the caller says.
    unsafe { free(registration) };
}
