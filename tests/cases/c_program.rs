//! The C functions as a C program calls them: both ends of a conversation, tokens of every kind, license files.

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

use libtest_mimic::Trial;
use pulse_trust::ffi::buffer::{pulse_buffer_data, pulse_buffer_free, pulse_buffer_len};
use pulse_trust::ffi::data_dir::{pulse_data_dir_free, pulse_data_dir_lock, pulse_data_dir_open};
use pulse_trust::ffi::error::{pulse_error_free, pulse_error_message, pulse_status_name, pulse_version};
use pulse_trust::ffi::hosted::{pulse_readiness, pulse_runtime_free, pulse_runtime_new};
use pulse_trust::ffi::identity::{pulse_identity_free, pulse_identity_from_private_key};
use pulse_trust::ffi::ids::{pulse_refresh_backoff_ms, pulse_refresh_delay_ms};
use pulse_trust::ffi::keys::{
    pulse_signing_key_free, pulse_signing_key_from_base64, pulse_signing_key_generate, pulse_trust_keys_free,
    pulse_trust_keys_new,
};
use pulse_trust::ffi::license_files::{
    PULSE_LICENSE_FILE_ACTIVATION, PULSE_LICENSE_FILE_LICENSE, pulse_license_file_load, pulse_license_file_save,
};
use pulse_trust::ffi::session::{
    PULSE_DO_CONNECT, PULSE_DO_DISCONNECT, PULSE_DO_EVENT, PULSE_DO_NOTHING, PULSE_DO_SEND, PULSE_FEED_CONNECTED,
    PULSE_FEED_DISCONNECTED, PULSE_FEED_MESSAGE, PULSE_FEED_REFRESH_FAILURE, PULSE_FEED_START, PULSE_FEED_STOP,
    PULSE_FEED_TIMEOUT, pulse_feed, pulse_session, pulse_session_act, pulse_session_deadline, pulse_session_feed,
    pulse_session_free, pulse_session_new_instance, pulse_session_new_phone, pulse_session_poll,
};
use pulse_trust::ffi::token::{
    PULSE_HOST_ANY, PULSE_KIND_GRANT, PULSE_KIND_LICENSE, pulse_token_inspect, pulse_token_sign,
};
use pulse_trust::ffi::{pulse_buffer, pulse_error, pulse_status};
use pulse_trust::keys::SigningKey;
use pulse_trust::pairing::Onboarding;
use pulse_trust::relay::{
    ChannelClose, ChannelOpen, ConnectAck, ControlPayload, Frame, FrameType, Identity, ProxyRequest, Register,
    RegisterAck, RelayConfig,
};
use pulse_trust::storage::Revision;
use serde_json::{Value, json};

use crate::one;

const NOW: i64 = 1_774_440_000;
const INSTANCE_ID: &str = "relay_2e1b0929e6fd7c52";

pub fn tests() -> Vec<Trial> {
    vec![
        one("c_program/instance", instance),
        one("c_program/phone", phone),
        one("c_program/what a C program computes", numbers),
        one("c_program/tokens of every kind", tokens),
        one("c_program/both license files", license_files),
        one("c_program/readiness of a directory that is locked", readiness_under_a_lock),
        one("c_program/an output that is NULL", null_outputs),
    ]
}

struct Session(*mut pulse_session);

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { pulse_session_free(self.0) };
    }
}

/// What a session wants done: what, on which connection, with which data.
type Done = (u32, u32, Vec<u8>);

impl Session {
    fn instance(identity: &Identity, more: &Value) -> Self {
        let mut settings = json!({
            "server_url": "wss://relay.example.test/ws/instance", "credential": "c", "instance_secret": "s",
        });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let lease = SigningKey::from_seed(&[7; 32]).unwrap().public_key().to_base64();
        let (private, settings) = (identity.secret_private_key_base64(), settings.to_string());
        let (mut key, mut keys, mut session) = (null_mut(), null_mut(), null_mut());
        made(|error| {
            let private = private.expose_secret();
            // SAFETY: the text is valid for its length, and the outputs for a write.
            unsafe { pulse_identity_from_private_key(start(private), private.len(), &raw mut key, error) }
        });
        made(|error| {
            // SAFETY: as above.
            unsafe { pulse_trust_keys_new(start(&lease), lease.len(), null(), 0, &raw mut keys, error) }
        });
        made(|error| {
            // SAFETY: as above.
            unsafe { pulse_session_new_instance(start(&settings), settings.len(), key, keys, &raw mut session, error) }
        });
        // SAFETY: each handle is freed once.
        unsafe {
            pulse_identity_free(key);
            pulse_trust_keys_free(keys);
        }
        Self(session)
    }

    fn phone(scanned: &str, settings: &Value) -> Self {
        let settings = settings.to_string();
        let mut session = null_mut();
        made(|error| {
            // SAFETY: the texts are valid for their lengths, and the outputs for a write.
            unsafe {
                pulse_session_new_phone(
                    start(scanned),
                    scanned.len(),
                    start(&settings),
                    settings.len(),
                    &raw mut session,
                    error,
                )
            }
        });
        Self(session)
    }

    fn feed(&self, feed: pulse_feed, connection: u32, data: &[u8], after_ms: i64) -> Vec<Done> {
        made(|error| {
            // SAFETY: the session lives, and the data is valid for its length.
            unsafe {
                let now = NOW + after_ms / 1000;
                pulse_session_feed(self.0, feed, connection, data.as_ptr(), data.len(), after_ms, now, error)
            }
        });
        self.poll()
    }

    fn poll(&self) -> Vec<Done> {
        let mut all = Vec::new();
        loop {
            let (mut what, mut connection, mut data) = (0, 0, null_mut());
            made(|error| {
                // SAFETY: the session lives, and the outputs are valid for a write.
                unsafe { pulse_session_poll(self.0, &raw mut what, &raw mut connection, &raw mut data, error) }
            });
            let data = taken(data);
            if what == PULSE_DO_NOTHING {
                return all;
            }
            all.push((what, connection, data));
        }
    }

    fn act(&self, act: &Value, after_ms: i64) -> Value {
        let (act, mut out) = (act.to_string(), null_mut());
        made(|error| {
            // SAFETY: as above.
            unsafe { pulse_session_act(self.0, start(&act), act.len(), after_ms, NOW, &raw mut out, error) }
        });
        serde_json::from_slice(&taken(out)).unwrap()
    }

    fn deadline(&self) -> i64 {
        // SAFETY: the session lives.
        unsafe { pulse_session_deadline(self.0) }
    }
}

fn start(text: &str) -> *const c_char {
    text.as_ptr().cast()
}

/// A call that must succeed.
fn made(call: impl FnOnce(*mut *mut pulse_error) -> pulse_status) {
    let mut error = null_mut();
    call(&raw mut error);
    if error.is_null() {
        return;
    }
    // SAFETY: the error is there, its message is a text, and it is freed once.
    let message = unsafe {
        let message = CStr::from_ptr(pulse_error_message(error)).to_str().unwrap().to_owned();
        pulse_error_free(error);
        message
    };
    panic!("{message}");
}

/// The bytes of a buffer, which is freed.
fn taken(buffer: *mut pulse_buffer) -> Vec<u8> {
    // SAFETY: the buffer is there, its data is valid for its length, and it is freed once.
    unsafe {
        let bytes = std::slice::from_raw_parts(pulse_buffer_data(buffer), pulse_buffer_len(buffer)).to_vec();
        pulse_buffer_free(buffer);
        bytes
    }
}

fn events(done: &[Done]) -> Vec<Value> {
    let events = done.iter().filter(|(what, ..)| *what == PULSE_DO_EVENT);
    events.map(|(.., data)| serde_json::from_slice(data).unwrap()).collect()
}

fn sent(done: &[Done]) -> Vec<FrameType> {
    let frames = done.iter().filter(|(what, ..)| *what == PULSE_DO_SEND);
    frames.map(|(.., data)| Frame::decode(data).unwrap().frame_type).collect()
}

fn instance() {
    let identity = Identity::generate().unwrap();
    let refresh = json!({"org_id": "default", "instance_host": "t.example.test", "refresh_token": "etr_1"});
    let settings = json!({
        "refresh": refresh, "backoff_initial_ms": 7000, "backoff_max_ms": 9000, "times_ms": {"connect": 3000},
    });
    let session = Session::instance(&identity, &settings);
    assert_eq!(session.deadline(), -1);
    let done = session.feed(PULSE_FEED_START, 0, b"", 0);
    assert_eq!(done, [(PULSE_DO_CONNECT, 1, b"wss://relay.example.test/ws/instance".to_vec())]);
    assert_eq!(session.deadline(), 3000, "the setting's");
    let done = session.feed(PULSE_FEED_DISCONNECTED, 1, b"", 0);
    let retry_at = events(&done)[0]["retry_at"].as_i64().unwrap();
    assert!((3500..=7000).contains(&retry_at), "from the half of the setting: {retry_at}");
    let done = session.feed(PULSE_FEED_TIMEOUT, 0, b"", 7000);
    assert_eq!((done[0].0, done[0].1), (PULSE_DO_CONNECT, 2));
    let done = session.feed(PULSE_FEED_CONNECTED, 2, b"", 7000);
    assert_eq!(sent(&done), [FrameType::Register]);
    let ack = RegisterAck::new(INSTANCE_ID, "session", None).to_frame(0).unwrap();
    assert_eq!(events(&session.feed(PULSE_FEED_MESSAGE, 2, &ack, 7000))[0]["event"], "registered");
    let offer = |channel: u32| {
        let open = ChannelOpen::new(channel, "token").to_frame(channel).unwrap();
        assert_eq!(events(&session.feed(PULSE_FEED_MESSAGE, 2, &open, 7000))[0]["event"], "channel_offered");
    };
    let act = |act: Value| {
        assert_eq!(session.act(&act, 7000), json!({}));
        session.poll()
    };
    offer(1);
    assert_eq!(sent(&act(json!({"act": "refuse", "channel": 1, "reason": "no"}))), [FrameType::ChannelClose]);
    offer(2);
    assert_eq!(sent(&act(json!({"act": "accept", "channel": 2}))), [FrameType::ChannelOpen]);
    let asked = Frame::new(FrameType::Data, 2, br#"{"id":"1","method":"GET","path":"/"}"#).encode().unwrap();
    assert_eq!(events(&session.feed(PULSE_FEED_MESSAGE, 2, &asked, 7000))[0]["event"], "request");
    let response = json!({"id": "1", "status": 200});
    let done = act(json!({"act": "respond", "channel": 2, "response": response}));
    assert_eq!(sent(&done), [FrameType::Data]);
    let done = act(json!({"act": "push", "notification": {}}));
    assert_eq!(sent(&done), [FrameType::PushNotification]);
    let done = act(json!({"act": "close", "channel": 2, "reason": "enough"}));
    assert_eq!(sent(&done), [FrameType::ChannelClose]);
    let ended = &events(&done)[0];
    assert_eq!((ended["event"].as_str(), ended["channel"].as_u64()), (Some("channel_ended"), Some(2)));
    assert!(ended.to_string().contains(r#""closed""#) && ended.to_string().contains("enough"), "{ended}");
    let stray = ChannelClose::new(9, "").to_frame(9).unwrap();
    assert!(session.feed(PULSE_FEED_MESSAGE, 2, &stray, 7000).is_empty());
    // A refresh fails, and is due again half a minute later.
    let pong = Frame::new(FrameType::Pong, 0, b"").encode().unwrap();
    session.feed(PULSE_FEED_MESSAGE, 2, &pong, 65_000);
    let is_due = |done: &[Done]| events(done).iter().any(|event| event["event"] == "refresh_due");
    assert!(is_due(&session.feed(PULSE_FEED_TIMEOUT, 0, b"", 66_000)));
    session.feed(PULSE_FEED_REFRESH_FAILURE, 0, b"", 66_000);
    session.feed(PULSE_FEED_MESSAGE, 2, &pong, 95_000);
    assert!(is_due(&session.feed(PULSE_FEED_TIMEOUT, 0, b"", 96_000)));
    act(json!({"act": "set_credential", "credential": "another"}));
    let done = session.feed(PULSE_FEED_STOP, 0, b"", 96_000);
    assert!(done.contains(&(PULSE_DO_DISCONNECT, 2, b"1000".to_vec())), "{done:?}");
    let done = session.feed(PULSE_FEED_START, 0, b"", 97_000);
    assert_eq!(done[0].1, 3);
    let done = session.feed(PULSE_FEED_CONNECTED, 3, b"", 97_000);
    let register = Register::from_frame(&Frame::decode(&done[0].2).unwrap()).unwrap();
    assert!(register.license_token.expose_secret() == "another" || register.session_token.is_some());
}

fn phone() {
    let identity = Identity::generate().unwrap();
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.set_identity(&identity);
    let code = Onboarding::new(&config, INSTANCE_ID, "token").build().unwrap();
    let settings = json!({"backoff_initial_ms": 7000, "backoff_max_ms": 9000, "times_ms": {"connect": 3000}});
    let session = Session::phone(code.secret_compact_code().expose_secret(), &settings);
    let done = session.feed(PULSE_FEED_START, 0, b"", 0);
    assert_eq!((done[0].0, done[0].1), (PULSE_DO_CONNECT, 1));
    assert_eq!(session.deadline(), 3000);
    session.feed(PULSE_FEED_DISCONNECTED, 1, b"", 0);
    assert!((3500..=7000).contains(&session.deadline()), "{}", session.deadline());
    let done = session.feed(PULSE_FEED_TIMEOUT, 0, b"", 7000);
    assert_eq!((done[0].0, done[0].1), (PULSE_DO_CONNECT, 2));
    assert_eq!(sent(&session.feed(PULSE_FEED_CONNECTED, 2, b"", 7000)), [FrameType::Connect]);
    let ack = ConnectAck::new(9, INSTANCE_ID).to_frame(0).unwrap();
    let done = session.feed(PULSE_FEED_MESSAGE, 2, &ack, 7000);
    let message = Frame::decode(&done[0].2).unwrap();
    let (mut keys, answer) = pulse_trust::relay::accept_key_exchange(message.payload, &identity).unwrap();
    let answer = Frame::new(FrameType::KeyExchange, 9, &answer).encode().unwrap();
    assert_eq!(events(&session.feed(PULSE_FEED_MESSAGE, 2, &answer, 7000)), [json!({"event": "ready"})]);
    let mut ask = |body: &str, number: u64| {
        let asked = session.act(&json!({"act": "request", "method": "GET", "path": "/", "body": body}), 7000);
        assert_eq!(asked, json!({ "request": number }));
        let sent = session.poll().remove(0).2;
        ProxyRequest::from_json(&keys.open(Frame::decode(&sent).unwrap().payload).unwrap()).unwrap()
    };
    assert!(ask("", 1).body.is_empty());
    assert_eq!(ask("AQID", 2).body.as_bytes(), [1, 2, 3]);
    session.act(&json!({"act": "cancel", "request": 2}), 7000);
    let failed = json!({"event": "request_failed", "request": 2, "reason": "canceled"});
    assert_eq!(events(&session.poll()), [failed]);
    let done = session.feed(PULSE_FEED_STOP, 0, b"", 8000);
    assert!(done.contains(&(PULSE_DO_DISCONNECT, 2, b"1000".to_vec())), "{done:?}");
    assert_eq!(session.deadline(), -1);
}

fn tokens() {
    let (private, claims) = (
        SigningKey::from_seed(&[7; 32]).unwrap().secret_base64(),
        [
            (PULSE_KIND_LICENSE, r#"{"lid":"l","email":"e","tier":"pro"}"#, "license", "lifetime"),
            (PULSE_KIND_LICENSE, r#"{"lid":"l","email":"e","tier":"pro","exp":1774440060}"#, "license", "active"),
            (PULSE_KIND_LICENSE, r#"{"lid":"l","email":"e","tier":"pro","exp":1774439940}"#, "license", "grace"),
            (
                PULSE_KIND_GRANT,
                r#"{"lid":"l","iid":"i","st":"active","tier":"pro","exp":1774440060}"#,
                "grant",
                "active",
            ),
        ],
    );
    let license = SigningKey::from_seed(&[7; 32]).unwrap().public_key().to_base64();
    let (mut key, mut keys) = (null_mut(), null_mut());
    made(|error| {
        let private = private.expose_secret();
        // SAFETY: the text is valid for its length, and the outputs for a write.
        unsafe { pulse_signing_key_from_base64(start(private), private.len(), &raw mut key, error) }
    });
    made(|error| {
        // SAFETY: as above.
        unsafe { pulse_trust_keys_new(null(), 0, start(&license), license.len(), &raw mut keys, error) }
    });
    for (kind, claims, name, state) in claims {
        let (mut token, mut inspected) = (null_mut(), null_mut());
        made(|error| {
            // SAFETY: the key lives, and the rest is as above.
            unsafe { pulse_token_sign(key, kind, 0, start(claims), claims.len(), &raw mut token, error) }
        });
        let token = taken(token);
        made(|error| {
            let (text, length) = (token.as_ptr().cast(), token.len());
            let (any, out) = (PULSE_HOST_ANY, &raw mut inspected);
            // SAFETY: the keys live, and the rest is as above.
            unsafe { pulse_token_inspect(keys, text, length, any, null(), 0, null(), 0, NOW, out, error) }
        });
        let inspected: Value = serde_json::from_slice(&taken(inspected)).unwrap();
        assert_eq!((inspected["kind"].as_str(), inspected["state"].as_str()), (Some(name), Some(state)));
    }
    // SAFETY: each handle is freed once.
    unsafe {
        pulse_signing_key_free(key);
        pulse_trust_keys_free(keys);
    }
}

fn license_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let mut data_dir = null_mut();
    made(|error| {
        // SAFETY: the text is valid for its length, and the output for a write.
        unsafe { pulse_data_dir_open(start(path), path.len(), &raw mut data_dir, error) }
    });
    // SAFETY: the handle lives.
    made(|error| unsafe { pulse_data_dir_lock(data_dir, 1000, error) });
    for (file, name, content) in [
        (PULSE_LICENSE_FILE_ACTIVATION, "activation.enc", r#"{"grant_jwt":"a.b.c"}"#),
        (PULSE_LICENSE_FILE_LICENSE, "license.enc", r#"{"license_key":"d.e.f"}"#),
    ] {
        let (mut saved, mut loaded, absent) = (null_mut(), null_mut(), Revision::ABSENT.to_string());
        made(|error| {
            let (content, content_len, out) = (start(content), content.len(), &raw mut saved);
            // SAFETY: the handle lives, the texts are valid for their lengths, and the outputs for a write.
            unsafe {
                pulse_license_file_save(data_dir, file, content, content_len, start(&absent), absent.len(), out, error)
            }
        });
        taken(saved);
        assert!(directory.path().join(name).exists());
        // SAFETY: as above.
        made(|error| unsafe { pulse_license_file_load(data_dir, file, &raw mut loaded, error) });
        let loaded: Value = serde_json::from_slice(&taken(loaded)).unwrap();
        assert_eq!(loaded["content"].to_string(), content);
    }
    // SAFETY: the handle is freed once.
    unsafe { pulse_data_dir_free(data_dir) };
}

/// It changes nothing, whoever holds the lock: not even files of older forms, which other functions bring up to date.
fn readiness_under_a_lock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let (key, relay_enc) = (directory.path().join(".encryption.key"), directory.path().join("relay.enc"));
    std::fs::write(&relay_enc, r#"{"enabled":true}"#).unwrap();
    let (mut data_dir, mut keys, mut runtime, mut report) = (null_mut(), null_mut(), null_mut(), null_mut());
    made(|error| {
        // SAFETY: the text is valid for its length, and the output for a write.
        unsafe { pulse_data_dir_open(start(path), path.len(), &raw mut data_dir, error) }
    });
    made(|error| {
        let none = start("");
        // SAFETY: empty texts, and outputs that are valid for a write.
        unsafe { pulse_trust_keys_new(none, 0, none, 0, &raw mut keys, error) }
    });
    made(|error| {
        let none = start("");
        // SAFETY: as above, and the handle lives.
        unsafe { pulse_runtime_new(1, keys, none, 0, none, 0, none, 0, &raw mut runtime, error) }
    });
    // SAFETY: the handle lives.
    made(|error| unsafe { pulse_data_dir_lock(data_dir, 1000, error) });
    // SAFETY: the handles live, and the output is valid for a write.
    made(|error| unsafe { pulse_readiness(data_dir, runtime, NOW, &raw mut report, error) });
    let report: Value = serde_json::from_slice(&taken(report)).unwrap();
    assert_eq!(std::fs::read_to_string(&relay_enc).unwrap(), r#"{"enabled":true}"#);
    assert!(!key.exists(), "{report}");
    // SAFETY: each handle is freed once.
    unsafe {
        pulse_data_dir_free(data_dir);
        pulse_runtime_free(runtime);
        pulse_trust_keys_free(keys);
    }
}

/// It is refused before anything is written.
fn null_outputs() {
    let refused = |status: pulse_status| {
        // SAFETY: a name is a text that is valid for ever.
        assert_eq!(unsafe { CStr::from_ptr(pulse_status_name(status)) }, c"NULL_ARGUMENT");
    };
    // SAFETY: NULL is allowed everywhere, and the session lives.
    unsafe {
        refused(pulse_signing_key_generate(null_mut(), null_mut()));
        let session = Session::instance(&Identity::generate().unwrap(), &json!({}));
        let (mut what, mut connection, mut data) = (7, 7, null_mut());
        let all: [*mut u32; 2] = [&raw mut what, &raw mut connection];
        refused(pulse_session_poll(session.0, all[0], null_mut(), &raw mut data, null_mut()));
        refused(pulse_session_poll(session.0, null_mut(), all[1], &raw mut data, null_mut()));
        refused(pulse_session_poll(session.0, all[0], all[1], null_mut(), null_mut()));
        assert_eq!((what, connection, data.is_null()), (7, 7, true));
    }
}

fn numbers() {
    // SAFETY: the version is a text that is valid for ever.
    assert_eq!(unsafe { CStr::from_ptr(pulse_version()) }.to_str().unwrap(), pulse_trust::VERSION);
    assert_eq!(pulse_refresh_delay_ms(NOW + 86_400, NOW, 0), 6 * 3600 * 800);
    assert_eq!(pulse_refresh_delay_ms(0, NOW, 0), 60_000, "its end is not known");
    assert_eq!([1, 2, 100].map(|failures| pulse_refresh_backoff_ms(failures)), [30_000, 60_000, 1_800_000]);
}
