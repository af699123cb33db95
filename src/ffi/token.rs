//! Leases, licenses and grants

use core::ffi::c_char;
use core::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, free, read, text};
use super::fault::{Fault, pulse_error, pulse_status};
use super::json;
use super::keys::{pulse_signing_key, pulse_trust_keys};
use crate::entitlement::{
    Capability, GrantClaims, HostBinding, InspectedToken, LeaseChecks, LeaseClaims, LicenseClaims, LicenseTerm,
    VerifiedToken,
};
use crate::error::Error;
use crate::json::Json;
use crate::time::{ClockLeeway, UnixTime};
use crate::token_kind::TokenKind;

/// A kind of token: `PULSE_KIND_...`.
pub type pulse_kind = i32;
/// No kind: the answer for a NULL handle.
pub const PULSE_KIND_NONE: pulse_kind = 0;
/// A hosted lease.
pub const PULSE_KIND_LEASE: pulse_kind = 1;
/// A classic license.
pub const PULSE_KIND_LICENSE: pulse_kind = 2;
/// A grant.
pub const PULSE_KIND_GRANT: pulse_kind = 3;

/// Which hosts a lease may be for: `PULSE_HOST_...`.
pub type pulse_host_binding = i32;
/// The given host only: `pulse_host_normalize` makes the same of both.
pub const PULSE_HOST_REQUIRE: pulse_host_binding = 0;
/// Any host that it names: for a relay, which derives the instance id from that host.
pub const PULSE_HOST_ANY: pulse_host_binding = 1;

/// The time at which a lifetime license expires.
pub const PULSE_NEVER: i64 = 9_223_372_036_854_775_807;

/// A verified token. It is worth keeping: evaluating it again later needs no signature check.
pub struct pulse_token {
    token: VerifiedToken,
}

/// Signs claims, given as JSON, and returns the compact token. If `name_key` is not 0, the header names the key's id.
/// A member that is not a claim of the kind is left out; claims that no verifier would accept are an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_sign(
    key: *const pulse_signing_key,
    kind: pulse_kind,
    name_key: i32,
    claims_json: *const c_char,
    claims_json_len: usize,
    out_token: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_token, "out_token"), || {
            let claims = text(claims_json, claims_json_len, "claims_json")?;
            let key = &borrow(key, "key")?.key;
            let claims = match kind_of(kind)? {
                TokenKind::Lease => LeaseClaims::from_json(claims)?.signable(),
                TokenKind::License => LicenseClaims::from_json(claims)?.signable(),
                TokenKind::Grant => GrantClaims::from_json(claims)?.signable(),
            }?;
            let sign = if name_key == 0 { crate::token::sign } else { crate::token::sign_with_key_id };
            Ok(pulse_buffer::new(sign(key, &claims)?.expose_secret()))
        })
    }
}

/// Verifies a token as the kind that its claims say: signature under the keys of that kind, term, and, for a lease,
/// host and organization. With `PULSE_HOST_ANY` the host is not checked; an empty `org` accepts any organization.
/// `leeway_seconds` is at most 300.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_verify(
    keys: *const pulse_trust_keys,
    token: *const c_char,
    token_len: usize,
    host_binding: pulse_host_binding,
    host: *const c_char,
    host_len: usize,
    org: *const c_char,
    org_len: usize,
    leeway_seconds: u32,
    now: i64,
    out: *mut *mut pulse_token,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let keys = &borrow(keys, "keys")?.keys;
            let checks = checks(host_binding, text(host, host_len, "host")?, text(org, org_len, "org")?)?
                .with_leeway(ClockLeeway::new(Duration::from_secs(leeway_seconds.into()))?);
            let token = text(token, token_len, "token")?;
            let token = VerifiedToken::verify(token, keys, &checks, UnixTime::from_secs(now))?;
            Ok(pulse_token { token })
        })
    }
}

#[derive(Serialize)]
struct Inspected<'a> {
    kind: &'static str,
    state: String,
    claims: &'a RawValue,
}

/// Reads a token whose signature verifies but whose term may be over, for display: JSON with `kind`, `state` at `now`,
/// and `claims`, without a lease's `provider_license`, which is a credential. It grants nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_inspect(
    keys: *const pulse_trust_keys,
    token: *const c_char,
    token_len: usize,
    host_binding: pulse_host_binding,
    host: *const c_char,
    host_len: usize,
    org: *const c_char,
    org_len: usize,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let keys = &borrow(keys, "keys")?.keys;
            let checks = checks(host_binding, text(host, host_len, "host")?, text(org, org_len, "org")?)?;
            let (token, now) = (text(token, token_len, "token")?, UnixTime::from_secs(now));
            let inspected = InspectedToken::inspect(token, keys, &checks, now)?;
            let state = match &inspected {
                InspectedToken::License(license) => term_name(license.term_at(now)).to_owned(),
                other => other.state_at(now).as_str().to_owned(),
            };
            let (kind, claims) = (inspected.kind(), inspected.claims_json());
            let claims: &RawValue = serde_json::from_str(&claims)
                .map_err(|_| Fault::Argument("result", "the claims cannot be written as JSON"))?;
            let inspected = Inspected { kind: kind.as_str(), state, claims };
            json::buffer(&inspected)
        })
    }
}

/// The kind of a verified token; `PULSE_KIND_NONE` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_kind(token: *const pulse_token) -> pulse_kind {
    // SAFETY: the pointer contract of this module.
    unsafe { read(token, PULSE_KIND_NONE, |token| kind_number(token.token.kind())) }
}

/// From this moment on, in Unix seconds, the token no longer counts; `PULSE_NEVER` for a lifetime license, 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_counts_until(token: *const pulse_token) -> i64 {
    // SAFETY: the pointer contract of this module.
    unsafe { read(token, 0, |token| token.token.counts_until().map_or(PULSE_NEVER, UnixTime::as_secs)) }
}

/// Whether the token is in term and grants a capability at `now`: 0 if it does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_check(
    token: *const pulse_token,
    capability: *const c_char,
    capability_len: usize,
    now: i64,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (), || {
            let capability = Capability::new(text(capability, capability_len, "capability")?);
            Ok(borrow(token, "token")?.token.check_grants(&capability, UnixTime::from_secs(now))?)
        })
    }
}

/// Whether the token is a lease for a host, of which `pulse_host_normalize` makes the same: 0 if it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_check_host(
    token: *const pulse_token,
    host: *const c_char,
    host_len: usize,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (), || {
            let host = text(host, host_len, "host")?;
            match &borrow(token, "token")?.token {
                VerifiedToken::Lease(lease) => Ok(lease.check_host(host)?),
                other => Err(Error::TokenKind { expected: TokenKind::Lease, received: other.kind() }.into()),
            }
        })
    }
}

/// The claims for a screen, as JSON in their normal form, without a lease's `provider_license`, which is a credential.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_claims_json(
    token: *const pulse_token,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            Ok(pulse_buffer::new(borrow(token, "token")?.token.claims_json()))
        })
    }
}

/// The capabilities that count at `now`, as a sorted JSON array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_capabilities_json(
    token: *const pulse_token,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let capabilities = borrow(token, "token")?.token.capabilities_at(UnixTime::from_secs(now));
            json::buffer(&Json(&capabilities))
        })
    }
}

/// Frees a token; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_token_free(token: *mut pulse_token) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(token) };
}

fn checks<'a>(binding: pulse_host_binding, host: &'a str, org: &'a str) -> Result<LeaseChecks<'a>, Fault> {
    let checks = LeaseChecks::new(match binding {
        PULSE_HOST_REQUIRE => HostBinding::Require(host),
        PULSE_HOST_ANY => HostBinding::AnyHost,
        _ => return Err(Fault::Argument("host_binding", "expected one of PULSE_HOST_...")),
    });
    Ok(if org.is_empty() { checks } else { checks.with_org(org) })
}

fn kind_of(kind: pulse_kind) -> Result<TokenKind, Fault> {
    match kind {
        PULSE_KIND_LEASE => Ok(TokenKind::Lease),
        PULSE_KIND_LICENSE => Ok(TokenKind::License),
        PULSE_KIND_GRANT => Ok(TokenKind::Grant),
        _ => Err(Fault::Argument("kind", "expected one of PULSE_KIND_...")),
    }
}

pub(super) fn kind_number(kind: TokenKind) -> pulse_kind {
    match kind {
        TokenKind::Lease => PULSE_KIND_LEASE,
        TokenKind::License => PULSE_KIND_LICENSE,
        TokenKind::Grant => PULSE_KIND_GRANT,
    }
}

fn term_name(term: Result<LicenseTerm, Error>) -> &'static str {
    match term {
        Ok(LicenseTerm::Lifetime) => "lifetime",
        Ok(LicenseTerm::InTerm { .. }) => "active",
        Ok(LicenseTerm::InGrace { .. }) => "grace",
        Err(_) => "expired",
    }
}
