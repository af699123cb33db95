//! A relay's decision on REGISTER

use core::ffi::c_char;
use core::time::Duration;
use std::ffi::CString;
use std::sync::{PoisonError, RwLock};

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, free, read, text};
use super::fault::{Fault, c_text, pulse_error, pulse_status};
use super::json;
use super::keys::pulse_trust_keys;
use super::token::{PULSE_KIND_NONE, PULSE_NEVER, kind_number, pulse_kind};
use crate::entitlement::InstanceHost;
use crate::json::Json;
use crate::keys::KeyId;
use crate::relay::{Admission, InstanceId, Registration, RevocationList};
use crate::time::{ClockLeeway, UnixTime};

/// A relay's trust keys, rules and revocations.
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
/// The host of a lease, in any spelling that `pulse_host_normalize` takes. An IPv6 address is revoked in all of its spellings.
pub const PULSE_REVOKE_HOST: pulse_revocation = 4;
/// An instance id.
pub const PULSE_REVOKE_INSTANCE: pulse_revocation = 5;
/// The id of a key (`kid`): everything that it has signed.
pub const PULSE_REVOKE_SIGNING_KEY: pulse_revocation = 6;

/// Admission under these keys. `leeway_seconds`, at most 300, is how far the clocks of control plane and relay may
/// differ.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_admission_new(
    keys: *const pulse_trust_keys,
    leeway_seconds: u32,
    out: *mut *mut pulse_admission,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let leeway = ClockLeeway::new(Duration::from_secs(leeway_seconds.into()))?;
            let admission = Admission::new(borrow(keys, "keys")?.keys.clone()).with_leeway(leeway);
            Ok(pulse_admission { admission, revocations: RwLock::default() })
        })
    }
}

/// Revokes whatever has this id, from the next admission on. An id that nothing can have is refused: an empty one, or a
/// host, an instance id or a key id (16 lower-case hex digits) in another form.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_admission_revoke(
    admission: *const pulse_admission,
    what: pulse_revocation,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (), || {
            let id = non_empty(text(id, id_len, "id")?, "id")?;
            let mut list = borrow(admission, "admission")?.revocations.write().unwrap_or_else(PoisonError::into_inner);
            match what {
                PULSE_REVOKE_LICENSE => list.revoke_license(id),
                PULSE_REVOKE_INSTALLATION => list.revoke_installation(id),
                PULSE_REVOKE_TOKEN => list.revoke_token(id),
                PULSE_REVOKE_HOST => list.revoke_host(&InstanceHost::normalize(id)?),
                PULSE_REVOKE_INSTANCE => list.revoke_instance(&InstanceId::parse(id)?),
                PULSE_REVOKE_SIGNING_KEY => list.revoke_signing_key(&KeyId::parse(id)?),
                _ => return Err(Fault::Argument("what", "expected one of PULSE_REVOKE_...")),
            }
            Ok(())
        })
    }
}

fn non_empty<'a>(id: &'a str, parameter: &'static str) -> Result<&'a str, Fault> {
    if id.is_empty() { Err(Fault::Argument(parameter, "expected an id, received an empty text")) } else { Ok(id) }
}

/// Revokes every grant of a license whose version (`lv`) is below `lowest_version`, from the next admission on. A floor
/// is only ever raised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_admission_revoke_license_below(
    admission: *const pulse_admission,
    license_id: *const c_char,
    license_id_len: usize,
    lowest_version: i64,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (), || {
            let license_id = non_empty(text(license_id, license_id_len, "license_id")?, "license_id")?;
            let list = &borrow(admission, "admission")?.revocations;
            list.write().unwrap_or_else(PoisonError::into_inner).revoke_license_below(license_id, lowest_version);
            Ok(())
        })
    }
}

/// Decides on one registration: verifies the token under the keys of its kind, checks the `relay` capability and the
/// revocations, and derives the instance id. `hint` is the instance secret, which a license or grant needs. For a
/// refusal, `pulse_error_wire_code` is what the ERROR frame says.
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
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let admission = borrow(admission, "admission")?;
            let token = text(token, token_len, "token")?;
            let hint = Some(text(hint, hint_len, "hint")?);
            let revocations = admission.revocations.read().unwrap_or_else(PoisonError::into_inner);
            let registration = admission.admission.admit(token, hint, &*revocations, UnixTime::from_secs(now))?;
            let instance_id = c_text(registration.instance_id.as_str());
            Ok(pulse_registration { registration, instance_id })
        })
    }
}

/// Frees an admission; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_admission_free(admission: *mut pulse_admission) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(admission) };
}

/// The id under which phones reach the instance, NUL-terminated; NULL for NULL. Valid as long as the registration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_instance_id(registration: *const pulse_registration) -> *const c_char {
    // SAFETY: the pointer contract of this module.
    unsafe { read(registration, core::ptr::null(), |registration| registration.instance_id.as_ptr()) }
}

/// The kind of credential; `PULSE_KIND_NONE` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_kind(registration: *const pulse_registration) -> pulse_kind {
    // SAFETY: the pointer contract of this module.
    unsafe { read(registration, PULSE_KIND_NONE, |registration| kind_number(registration.registration.kind)) }
}

/// From this moment on, in Unix seconds, the credential no longer counts; `PULSE_NEVER` for a lifetime license, 0 for
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_expires_at(registration: *const pulse_registration) -> i64 {
    // SAFETY: the pointer contract of this module.
    unsafe {
        read(registration, 0, |registration| {
            registration.registration.expires_at.map_or(PULSE_NEVER, UnixTime::as_secs)
        })
    }
}

/// The capabilities that count at `now`, as a sorted JSON array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_capabilities_json(
    registration: *const pulse_registration,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let registration = &borrow(registration, "registration")?.registration;
            let capabilities = registration.capabilities_at(UnixTime::from_secs(now));
            json::buffer(&Json(&capabilities))
        })
    }
}

/// Frees a registration; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_free(registration: *mut pulse_registration) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(registration) };
}
