//! A conversation through the relay: an instance's end or a phone's, without sockets and clocks
//!
//! Four calls drive either end, in the order that the crate's documentation gives: `pulse_session_feed` tells it what
//! has happened, `pulse_session_poll` says what to do next until it says `PULSE_DO_NOTHING`, `pulse_session_deadline`
//! says how long to wait, and `pulse_session_act` asks it to do something.

mod act;
mod feed;
mod instance_event;
mod output;
mod phone_event;
mod settings;

use core::ffi::c_char;
use core::time::Duration;

use serde::de::DeserializeOwned;

use self::act::{Act, act_of_instance, act_of_phone};
use self::feed::{feed_instance, feed_phone, moment};
use self::instance_event::InstanceEventJson;
use self::output::output_parts;
use self::phone_event::PhoneEventJson;
use self::settings::{InstanceSettings, PhoneSettings, RefreshSettings, set_backoff};
use super::buffer::pulse_buffer;
use super::call::{Out, borrow, borrow_mut, bytes, call, free, read, text};
use super::fault::{Fault, pulse_error, pulse_status};
use super::identity::pulse_identity;
use super::json;
use super::keys::pulse_trust_keys;
use crate::pairing::PairingCode;
use crate::relay::Identity;
use crate::secret::{Secret, with_wiped_stack};
use crate::session::{InstanceConfig, InstanceEnd, LeaseRefresh, PhoneConfig, PhoneEnd, is_auth_token_known};
use crate::time::UnixTime;

/// What a session is told: `PULSE_FEED_...`.
pub type pulse_feed = i32;
/// Start. `connection` and `data` are ignored.
pub const PULSE_FEED_START: pulse_feed = 1;
/// Stop. `connection` and `data` are ignored.
pub const PULSE_FEED_STOP: pulse_feed = 2;
/// The WebSocket connection is open.
pub const PULSE_FEED_CONNECTED: pulse_feed = 3;
/// A binary message, `data`, has arrived on the connection.
pub const PULSE_FEED_MESSAGE: pulse_feed = 4;
/// The connection is lost, or could not be made.
pub const PULSE_FEED_DISCONNECTED: pulse_feed = 5;
/// The moment of `pulse_session_deadline` has come.
pub const PULSE_FEED_TIMEOUT: pulse_feed = 6;
/// The control plane has answered a refresh: `connection` is the HTTP status, `data` the body.
pub const PULSE_FEED_REFRESH_ANSWER: pulse_feed = 7;
/// The control plane could not be reached.
pub const PULSE_FEED_REFRESH_FAILURE: pulse_feed = 8;

/// There is nothing to do: wait until something happens, or for the deadline.
pub const PULSE_DO_NOTHING: u32 = 0;
/// Open a WebSocket connection to the URL that is the data, without following redirects.
pub const PULSE_DO_CONNECT: u32 = 1;
/// Send the data as one binary message.
pub const PULSE_DO_SEND: u32 = 2;
/// Close the connection. The data is the status code in decimal digits.
pub const PULSE_DO_DISCONNECT: u32 = 3;
/// Handle an event: the data is a JSON object whose member `event` says which.
pub const PULSE_DO_EVENT: u32 = 4;

/// One end of a conversation. One thread at a time.
pub struct pulse_session {
    end: End,
}

enum End {
    Instance(Box<InstanceEnd>),
    Phone(Box<PhoneEnd>),
}

/// An instance's end. `settings` is a JSON object of `server_url`, `credential`, `instance_secret`, and optionally
/// `client_version`, `backoff_initial_ms`, `backoff_max_ms`, `seed` (a random number), `times_ms` (an object of waiting
/// times: `connect`, `answer`, `ping`, `silence`, `drain`, `refused`) and `refresh`, an object of `org_id`,
/// `instance_host`, `refresh_token` and optionally `expires_at` (Unix seconds). `keys` verify a refreshed lease; they
/// may be NULL if there is no `refresh`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_session_new_instance(
    settings: *const c_char,
    settings_len: usize,
    identity: *const pulse_identity,
    keys: *const pulse_trust_keys,
    out: *mut *mut pulse_session,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            // The session keeps its own copy, so that the handle can be freed or used elsewhere.
            let secret = borrow(identity, "identity")?.identity.secret_private_key_base64();
            let settings: InstanceSettings = parse_secret(text(settings, settings_len, "settings")?, "settings")?;
            let identity = Identity::from_private_base64(secret.expose_secret())?;
            let refresh = match settings.refresh {
                None => None,
                Some(refresh) => {
                    let keys = borrow(keys, "keys")?.keys.clone();
                    let expires_at = refresh.expires_at.map(UnixTime::from_secs);
                    let RefreshSettings { org_id, instance_host, refresh_token, .. } = refresh;
                    Some(LeaseRefresh::new(org_id, instance_host, refresh_token, keys, expires_at))
                }
            };
            let InstanceSettings { server_url, credential, instance_secret, client_version, times_ms, .. } = settings;
            let mut config = InstanceConfig::new(server_url, credential, instance_secret, identity);
            config.client_version = Some(client_version).filter(|version| !version.is_empty());
            set_backoff(&mut config.backoff, settings.backoff_initial_ms, settings.backoff_max_ms);
            times_ms.apply(&mut config.times);
            config.refresh = refresh;
            let end = InstanceEnd::new(config, u64::from(settings.seed))?;
            Ok(pulse_session { end: End::Instance(Box::new(end)) })
        })
    }
}

/// A phone's end. `scanned` is the text of a pairing code, which must carry an identity. `settings` is a JSON object of
/// `device_token`, `platform`, `notification_preferences`, `backoff_initial_ms`, `backoff_max_ms`, `answer_ms` (how long
/// a request waits for its answer), `times_ms` as for an instance, and `seed` (a random number), all of them optional.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_session_new_phone(
    scanned: *const c_char,
    scanned_len: usize,
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut pulse_session,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let scanned = text(scanned, scanned_len, "scanned")?;
            let settings: PhoneSettings = parse_secret(text(settings, settings_len, "settings")?, "settings")?;
            let code = PairingCode::parse(scanned)?;
            let mut config = PhoneConfig::from_pairing_code(&code)?;
            config.device_token = settings.device_token.non_empty();
            config.platform = Some(settings.platform).filter(|platform| !platform.is_empty());
            config.notification_preferences = settings.notification_preferences;
            set_backoff(&mut config.backoff, settings.backoff_initial_ms, settings.backoff_max_ms);
            settings.times_ms.apply(&mut config.times);
            if let Some(milliseconds) = settings.answer_ms {
                config.limits.answer = Duration::from_millis(milliseconds);
            }
            let end = PhoneEnd::new(config, u64::from(settings.seed))?;
            Ok(pulse_session { end: End::Phone(Box::new(end)) })
        })
    }
}

/// Tells a session what has happened (`PULSE_FEED_...`). `monotonic_ms` is a clock that never goes back, with any
/// origin; `now` is in Unix seconds. Whatever is fed about a connection that is over is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_session_feed(
    session: *mut pulse_session,
    feed: pulse_feed,
    connection: u32,
    data: *const u8,
    data_len: usize,
    monotonic_ms: i64,
    now: i64,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (), || {
            let data = bytes(data, data_len, "data")?;
            let now = moment(monotonic_ms, now)?;
            match &mut borrow_mut(session, "session")?.end {
                End::Instance(end) => feed_instance(end, feed, connection, data, now),
                End::Phone(end) => feed_phone(end, feed, connection, data, now),
            }
        })
    }
}

/// Says what to do next (`PULSE_DO_...`), on which connection, and with which data.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_session_poll(
    session: *mut pulse_session,
    out_do: *mut u32,
    out_connection: *mut u32,
    out_data: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    let what = (Out::new(out_do, "out_do"), Out::new(out_connection, "out_connection"));
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, (what, Out::new(out_data, "out_data")), || {
            let polled = match &mut borrow_mut(session, "session")?.end {
                End::Instance(end) => end.poll_output().map(|output| output_parts(output, InstanceEventJson::of)),
                End::Phone(end) => end.poll_output().map(|output| output_parts(output, PhoneEventJson::of)),
            };
            match polled {
                None => Ok(((PULSE_DO_NOTHING, 0), pulse_buffer::new(b""))),
                Some(parts) => parts,
            }
        })
    }
}

/// The moment at which to feed `PULSE_FEED_TIMEOUT`, on the clock of `monotonic_ms`; -1 for none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_session_deadline(session: *const pulse_session) -> i64 {
    // SAFETY: the pointer contract of this module.
    unsafe {
        read(session, -1, |session| {
            let deadline = match &session.end {
                End::Instance(end) => end.poll_timeout(),
                End::Phone(end) => end.poll_timeout(),
            };
            // Rounded up, so that the deadline has really passed when it is fed.
            let milliseconds = |deadline: Duration| {
                let up = deadline.saturating_add(Duration::from_nanos(999_999));
                i64::try_from(up.as_millis()).unwrap_or(i64::MAX)
            };
            deadline.map_or(-1, milliseconds)
        })
    }
}

/// Asks a session to do something. `act` is a JSON object whose member `act` says what. An instance: `accept`
/// (`channel`), `refuse` and `close` (`channel`, `reason`), `respond` (`channel`, `response`, as in a DATA frame),
/// `push` (`notification`, as in a PUSH_NOTIFICATION frame), `set_credential` (`credential`). A phone: `request`
/// (`method`, `path`, and optionally `headers` and `body`, which is base64), `cancel` (`request`). The result is a JSON
/// object: for `request` it has the member `request`, the number by which events name it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_session_act(
    session: *mut pulse_session,
    act: *const c_char,
    act_len: usize,
    monotonic_ms: i64,
    now: i64,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let session = borrow_mut(session, "session")?;
            let act: Act = parse_secret(text(act, act_len, "act")?, "act")?;
            let now = moment(monotonic_ms, now)?;
            let result = match &mut session.end {
                End::Instance(end) => act_of_instance(end, act, now)?,
                End::Phone(end) => act_of_phone(end, act, now)?,
            };
            json::buffer(&result)
        })
    }
}

/// Whether an instance should stop reading from its connection until more of its queue has been sent: 1 or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_session_is_congested(session: *const pulse_session) -> u32 {
    // SAFETY: the pointer contract of this module.
    unsafe {
        read(session, 0, |session| match &session.end {
            End::Instance(end) => u32::from(end.is_congested()),
            End::Phone(_) => 0,
        })
    }
}

/// Whether a token that a phone presented is the one that the instance knows: 1 or 0, in a time that does not depend on
/// where they differ. An empty token is never known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_auth_token_is_known(
    presented: *const c_char,
    presented_len: usize,
    known: *const c_char,
    known_len: usize,
    out: *mut u32,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let presented = Secret::from(text(presented, presented_len, "presented")?);
            Ok(u32::from(is_auth_token_known(&presented, [text(known, known_len, "known")?])))
        })
    }
}

/// Wipes and frees a session; NULL is ignored. The other side is not told: feed `PULSE_FEED_STOP` first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_session_free(session: *mut pulse_session) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(session) };
}

/// Parses an input object that may hold a secret, of which nothing is left on the stack.
fn parse_secret<T: DeserializeOwned>(text: &str, name: &'static str) -> Result<T, Fault> {
    with_wiped_stack(|| json::parse(text, name))
}

fn milliseconds(moment: Duration) -> u64 {
    u64::try_from(moment.as_millis()).unwrap_or(u64::MAX)
}
