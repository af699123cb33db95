//! Instance ids, hosts and the lease refresh schedule over the line.

use core::ffi::c_char;

use super::buffer::pulse_buffer;
use super::call::{Out, guard, guard_or, text};
use super::error::{pulse_error, pulse_status};
use crate::entitlement::{InstanceHost, refresh_backoff, refresh_delay, tenant_host};
use crate::relay::InstanceId;
use crate::time::UnixTime;

/// The instance id of a hosted tenant, from its host in any spelling.
///
/// # Safety
/// `host` is valid for `host_len` bytes; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_instance_id_of_host(
    host: *const c_char,
    host_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            let host = InstanceHost::normalize(text(host, host_len, "host")?)?;
            out.give_bytes(InstanceId::of_host(&host).as_str());
            Ok(())
        })
    }
}

/// The instance id of an instance with a license or grant, from the license id and the instance secret.
///
/// # Safety
/// The texts are valid for their lengths; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_instance_id_of_license(
    license_id: *const c_char,
    license_id_len: usize,
    instance_secret: *const c_char,
    instance_secret_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            let license_id = text(license_id, license_id_len, "license_id")?;
            let secret = text(instance_secret, instance_secret_len, "instance_secret")?;
            out.give_bytes(InstanceId::of_license(license_id, secret)?.as_str());
            Ok(())
        })
    }
}

/// The normal form of a host: of `https://T-1.Cloud.Example.Test:443/x` it is `t-1.cloud.example.test`.
///
/// # Safety
/// `host` is valid for `host_len` bytes; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_host_normalize(
    host: *const c_char,
    host_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            out.give_bytes(InstanceHost::normalize(text(host, host_len, "host")?)?.as_str());
            Ok(())
        })
    }
}

/// The host of a hosted tenant, from its id and the control plane's base URL.
///
/// # Safety
/// The texts are valid for their lengths; `out` and `error` are NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_tenant_host(
    tenant_id: *const c_char,
    tenant_id_len: usize,
    base_url: *const c_char,
    base_url_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: as the caller says.
    unsafe {
        guard(error, || {
            let out = Out::new(out, "out")?;
            let tenant_id = text(tenant_id, tenant_id_len, "tenant_id")?;
            out.give_bytes(tenant_host(tenant_id, text(base_url, base_url_len, "base_url")?)?.as_str());
            Ok(())
        })
    }
}

/// How many milliseconds to wait before the next refresh of a lease that expires at `expires_at` (0: it is not known).
/// `random`, evenly distributed over all 32 bits, spreads the tenants.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_refresh_delay_ms(expires_at: i64, now: i64, random: u32) -> u64 {
    guard_or(60_000, || {
        let expires_at = (expires_at != 0).then(|| UnixTime::from_secs(expires_at));
        u64::try_from(refresh_delay(expires_at, UnixTime::from_secs(now), random).as_millis()).ok()
    })
}

/// How many milliseconds to wait after so many failed refreshes in a row.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_refresh_backoff_ms(failures: u32) -> u64 {
    guard_or(60_000, || u64::try_from(refresh_backoff(failures).as_millis()).ok())
}
