//! Instance ids, hosts and the lease refresh schedule

use core::ffi::c_char;
use core::time::Duration;

use super::buffer::pulse_buffer;
use super::call::{Out, call, compute, text};
use super::fault::{pulse_error, pulse_status};
use crate::entitlement::{InstanceHost, refresh_backoff, refresh_delay, tenant_host};
use crate::relay::InstanceId;
use crate::time::UnixTime;

/// The instance id of a hosted tenant, from its host, which is normalized. Each spelling of an IPv6 address has an id of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_instance_id_of_host(
    host: *const c_char,
    host_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let host = InstanceHost::normalize(text(host, host_len, "host")?)?;
            Ok(pulse_buffer::new(InstanceId::of_host(&host).as_str()))
        })
    }
}

/// The instance id of an instance with a license or grant, from the license id and the instance secret.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_instance_id_of_license(
    license_id: *const c_char,
    license_id_len: usize,
    instance_secret: *const c_char,
    instance_secret_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let license_id = text(license_id, license_id_len, "license_id")?;
            let secret = text(instance_secret, instance_secret_len, "instance_secret")?;
            Ok(pulse_buffer::new(InstanceId::of_license(license_id, secret)?.as_str()))
        })
    }
}

/// The normal form of a host: of `https://T-1.Cloud.Example.Test:443/x` it is `t-1.cloud.example.test`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_host_normalize(
    host: *const c_char,
    host_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            Ok(pulse_buffer::new(InstanceHost::normalize(text(host, host_len, "host")?)?.as_str()))
        })
    }
}

/// The host of a hosted tenant, from its id and the control plane's base URL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_tenant_host(
    tenant_id: *const c_char,
    tenant_id_len: usize,
    base_url: *const c_char,
    base_url_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let tenant_id = text(tenant_id, tenant_id_len, "tenant_id")?;
            Ok(pulse_buffer::new(tenant_host(tenant_id, text(base_url, base_url_len, "base_url")?)?.as_str()))
        })
    }
}

/// How many milliseconds to wait before the next refresh of a lease that expires at `expires_at` (0: it is not known).
/// `random`, evenly distributed over all 32 bits, spreads the tenants.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_refresh_delay_ms(expires_at: i64, now: i64, random: u32) -> u64 {
    let expires_at = (expires_at != 0).then(|| UnixTime::from_secs(expires_at));
    milliseconds(|| refresh_delay(expires_at, UnixTime::from_secs(now), random))
}

/// How many milliseconds to wait after this number of failed refreshes in a row.
#[unsafe(no_mangle)]
pub extern "C" fn pulse_refresh_backoff_ms(failures: u32) -> u64 {
    milliseconds(|| refresh_backoff(failures))
}

fn milliseconds(job: impl FnOnce() -> Duration) -> u64 {
    compute(|| u64::try_from(job().as_millis()).ok()).flatten().unwrap_or(60_000)
}
