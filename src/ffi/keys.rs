//! Keys: for signing, for verifying, and the names of public keys

use core::ffi::c_char;

use serde::Serialize;

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, free, text};
use super::fault::{Fault, pulse_error, pulse_status};
use super::json;
use crate::keys::{PublicKey, SigningKey, TableSize, TrustKeySet, TrustKeys};

/// An Ed25519 key that signs tokens: a control plane's or a license server's.
pub struct pulse_signing_key {
    pub(super) key: SigningKey,
}

/// The public keys that are trusted to sign, by kind of token.
pub struct pulse_trust_keys {
    pub(super) keys: TrustKeys,
}

/// Makes a signing key from the operating system's random generator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_signing_key_generate(
    out: *mut *mut pulse_signing_key,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe { call(error, Out::new(out, "out"), || Ok(pulse_signing_key { key: SigningKey::generate()? })) }
}

/// Reads a signing key: base64, in any variant, of 64 bytes (seed and public key) or 32 (seed).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_signing_key_from_base64(
    key_base64: *const c_char,
    key_base64_len: usize,
    out: *mut *mut pulse_signing_key,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let key = SigningKey::from_base64(text(key_base64, key_base64_len, "key_base64")?)?;
            Ok(pulse_signing_key { key })
        })
    }
}

/// The public key as settings write it: standard base64.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_signing_key_public_key(
    key: *const pulse_signing_key,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || Ok(pulse_buffer::new(borrow(key, "key")?.key.public_key().to_base64())))
    }
}

/// **Secret**: standard base64 of seed and public key, to be kept by the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_signing_key_secret_base64(
    key: *const pulse_signing_key,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            Ok(pulse_buffer::new(borrow(key, "key")?.key.secret_base64().expose_secret()))
        })
    }
}

/// Wipes and frees a signing key; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_signing_key_free(key: *mut pulse_signing_key) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(key) };
}

#[derive(Serialize)]
struct KeyNames {
    public_key: String,
    key_id: String,
    log_fingerprint: String,
    fingerprint: String,
}

/// The names of a public key, as JSON: `public_key` (standard base64), `key_id` (what a token's `kid` says),
/// `log_fingerprint` (`SHA256:...`), `fingerprint` (hex pairs, which people compare).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_public_key_describe(
    key_base64: *const c_char,
    key_base64_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let key = PublicKey::from_base64(text(key_base64, key_base64_len, "key_base64")?)?;
            let names = KeyNames {
                public_key: key.to_base64(),
                key_id: key.key_id().to_string(),
                log_fingerprint: key.log_fingerprint(),
                fingerprint: key.fingerprint(),
            };
            json::buffer(&names)
        })
    }
}

/// The keys to trust: of leases, and of licenses and grants, each a comma-separated list of base64 keys as the settings
/// have it. An empty list trusts none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_trust_keys_new(
    lease_keys: *const c_char,
    lease_keys_len: usize,
    license_keys: *const c_char,
    license_keys_len: usize,
    out: *mut *mut pulse_trust_keys,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let lease = text(lease_keys, lease_keys_len, "lease_keys")?;
            let license = text(license_keys, license_keys_len, "license_keys")?;
            let keys = TrustKeys::new(TrustKeySet::from_setting(lease)?, TrustKeySet::from_setting(license)?);
            Ok(pulse_trust_keys { keys })
        })
    }
}

/// The trade-off between memory and speed of a key's precomputed tables: `PULSE_TABLES_...`.
pub type pulse_tables = i32;
/// None: for a tool or a phone that verifies a few signatures.
pub const PULSE_TABLES_NONE: pulse_tables = 0;
/// 101 KiB a key.
pub const PULSE_TABLES_SMALL: pulse_tables = 1;
/// 172 KiB a key. The default in WebAssembly.
pub const PULSE_TABLES_MEDIUM: pulse_tables = 2;
/// 498 KiB a key. The default elsewhere.
pub const PULSE_TABLES_LARGE: pulse_tables = 3;
/// 5.5 MiB a key: for a relay whose processor has enough cache.
pub const PULSE_TABLES_HUGE: pulse_tables = 4;

/// The same keys with precomputed tables of this size, built now: to trade memory for speed, and to pay the cost at
/// startup. Without this call, tables of the default size are built once a key has verified a few dozen tokens and there is
/// memory for them; this call fails with `PULSE_ERR_KEY_TABLE_MEMORY` where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_trust_keys_with_tables(
    keys: *const pulse_trust_keys,
    tables: pulse_tables,
    out: *mut *mut pulse_trust_keys,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let keys = &borrow(keys, "keys")?.keys;
            let size = match tables {
                PULSE_TABLES_NONE => TableSize::None,
                PULSE_TABLES_SMALL => TableSize::Small,
                PULSE_TABLES_MEDIUM => TableSize::Medium,
                PULSE_TABLES_LARGE => TableSize::Large,
                PULSE_TABLES_HUGE => TableSize::Huge,
                _ => return Err(Fault::Argument("tables", "expected one of PULSE_TABLES_...")),
            };
            let keys = TrustKeys::new(keys.lease.with_tables(size)?, keys.license.with_tables(size)?);
            Ok(pulse_trust_keys { keys })
        })
    }
}

/// Frees the keys; handles that were created from them stay valid. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_trust_keys_free(keys: *mut pulse_trust_keys) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(keys) };
}
