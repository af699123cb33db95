//! Pairing codes

use core::ffi::c_char;

use serde::{Deserialize, Serialize};

use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, free, text};
use super::fault::{Fault, pulse_error, pulse_status};
use super::json;
use crate::error::Error;
use crate::json::Json;
use crate::pairing::{
    ConnectionCheck, Diagnostic, InstanceIdVerdict, Onboarding, OnboardingPayload, PairingCode, TokenVerdict,
    check_connection, qr_svg, qr_terminal, relay_url_for_app,
};
use crate::relay::RelayConfig;
use crate::secret::Secret;

/// A scanned pairing code that passed every check.
pub struct pulse_pairing_code {
    code: PairingCode,
}

#[derive(Serialize)]
struct Built<'a> {
    #[serde(serialize_with = "crate::json::form::serialize")]
    payload: &'a OnboardingPayload,
    deep_link: &'a str,
    #[serde(serialize_with = "crate::secret::text::serialize")]
    compact_code: Secret,
    #[serde(serialize_with = "crate::json::form::serialize")]
    diagnostics: &'a [Diagnostic],
}

/// Builds the pairing code of a runtime from the relay config in effect (JSON), the instance id of the last ACK, the
/// token the phone is to present and the instance's own URL (may be empty). Returns **secret** JSON: `payload`,
/// `deep_link`, `compact_code`, `diagnostics`. Where no code can be offered yet, it fails with
/// `PULSE_ERR_PAIRING_NOT_READY`, and `pulse_error_detail_json` is the array of diagnostics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_pairing_build(
    config_json: *const c_char,
    config_json_len: usize,
    instance_id: *const c_char,
    instance_id_len: usize,
    auth_token: *const c_char,
    auth_token_len: usize,
    instance_url: *const c_char,
    instance_url_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let config = text(config_json, config_json_len, "config_json")?;
            let instance_id = text(instance_id, instance_id_len, "instance_id")?;
            let auth_token = text(auth_token, auth_token_len, "auth_token")?;
            let instance_url = text(instance_url, instance_url_len, "instance_url")?;
            let config = RelayConfig::from_json(config)?;
            let onboarding = Onboarding::new(&config, instance_id, auth_token).with_instance_url(instance_url);
            let payload = match onboarding.build() {
                Ok(payload) => payload,
                Err(not_ready) => {
                    let diagnostics = json::secret_text(&Json(&not_ready.diagnostics))?.to_string();
                    return Err(Fault::Detailed(Error::from(not_ready), diagnostics));
                }
            };
            let built = Built {
                payload: &payload,
                deep_link: payload.secret_deep_link(),
                compact_code: payload.secret_compact_code(),
                diagnostics: &payload.diagnostics,
            };
            json::buffer(&built)
        })
    }
}

/// Reads and checks a scanned text: a deep link, the compact code, or the JSON form.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_pairing_code_parse(
    scanned: *const c_char,
    scanned_len: usize,
    out: *mut *mut pulse_pairing_code,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            Ok(pulse_pairing_code { code: PairingCode::parse(text(scanned, scanned_len, "scanned")?)? })
        })
    }
}

#[derive(Serialize)]
struct Scanned<'a> {
    instance_id: &'a str,
    relay_url: &'a str,
    auth_token: &'a str,
    identity_public_key: Option<String>,
    identity_fingerprint: Option<String>,
    instance_url: Option<&'a str>,
    name: Option<&'a str>,
}

/// What a scanned code says, as **secret** JSON: `instance_id`, `relay_url`, `auth_token`, `identity_public_key`,
/// `identity_fingerprint` (computed from the key), `instance_url`, `name`; `null` if the code does not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_pairing_code_secret_json(
    code: *const pulse_pairing_code,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let code = &borrow(code, "code")?.code;
            let scanned = Scanned {
                instance_id: code.instance_id(),
                relay_url: code.relay_url(),
                auth_token: code.secret_auth_token(),
                identity_public_key: code.identity().map(crate::keys::PublicKey::to_base64),
                identity_fingerprint: code.fingerprint(),
                instance_url: code.instance_url(),
                name: code.name(),
            };
            json::buffer(&scanned)
        })
    }
}

/// Wipes and frees a code; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_pairing_code_free(code: *mut pulse_pairing_code) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(code) };
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presented {
    relay_enabled: bool,
    server_url: String,
    own_instance_id: Option<String>,
    instance_id: String,
    relay_url: String,
    #[serde(deserialize_with = "crate::secret::text::deserialize")]
    auth_token: Secret,
    token_known: bool,
}

/// The runtime's side of a connection check: compares what a phone presents with what the runtime knows. The input is
/// **secret** JSON with `relay_enabled`, `server_url`, `own_instance_id` (`null`: not registered), `instance_id`,
/// `relay_url`, `auth_token`, `token_known`. The output is the array of diagnostics, which is empty if nothing is
/// wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_connection_check(
    presented_json: *const c_char,
    presented_json_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let presented = text(presented_json, presented_json_len, "presented_json")?;
            let presented: Presented = json::parse(presented, "presented_json")?;
            let diagnostics = check_connection(&ConnectionCheck {
                relay_enabled: presented.relay_enabled,
                server_url: &presented.server_url,
                own_instance_id: presented
                    .own_instance_id
                    .as_deref()
                    .map_or(InstanceIdVerdict::Unverifiable, InstanceIdVerdict::Registered),
                instance_id: &presented.instance_id,
                relay_url: &presented.relay_url,
                auth_token: presented.auth_token.expose_secret(),
                token_verdict: if presented.token_known { TokenVerdict::Known } else { TokenVerdict::Unknown },
            });
            json::buffer(&Json(&diagnostics))
        })
    }
}

/// The URL an app connects to, from the one the instance is configured with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_relay_url_for_app(
    url: *const c_char,
    url_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || Ok(pulse_buffer::new(relay_url_for_app(text(url, url_len, "url")?))))
    }
}

/// Draws a text as a QR code: an SVG image.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_qr_svg(
    code: *const c_char,
    code_len: usize,
    out_svg: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_svg, "out_svg"), || Ok(pulse_buffer::new(qr_svg(text(code, code_len, "code")?)?)))
    }
}

/// Draws a text as a QR code for a terminal with a dark background.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_qr_terminal(
    code: *const c_char,
    code_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe { call(error, Out::new(out, "out"), || Ok(pulse_buffer::new(qr_terminal(text(code, code_len, "code")?)?))) }
}
