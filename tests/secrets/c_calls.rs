//! The ways of secrets through the C functions of a conversation: in settings, in acts, and in the frames that come out.

use std::ffi::c_char;
use std::ptr::{null, null_mut};

use pulse_trust::ffi::buffer::pulse_buffer_free;
use pulse_trust::ffi::error::pulse_error_free;
use pulse_trust::ffi::frame::pulse_frame_encode;
use pulse_trust::ffi::identity::{pulse_identity, pulse_identity_free, pulse_identity_generate};
use pulse_trust::ffi::session::{
    PULSE_DO_NOTHING, PULSE_FEED_CONNECTED, PULSE_FEED_MESSAGE, PULSE_FEED_START, pulse_feed, pulse_session,
    pulse_session_act, pulse_session_feed, pulse_session_free, pulse_session_new_instance, pulse_session_new_phone,
    pulse_session_poll,
};
use pulse_trust::ffi::{pulse_error, pulse_status};
use pulse_trust::pairing::Onboarding;
use pulse_trust::relay::{ChannelOpen, ControlPayload, Identity, RegisterAck, RelayConfig};

use crate::paths::{Job, kept};
use crate::scanner::{MARK, mark_text};

const NOW: i64 = 1_800_000_000;

/// Whether a call succeeds; its error is freed.
fn called(call: impl FnOnce(*mut *mut pulse_error) -> pulse_status) -> bool {
    let mut error = null_mut();
    call(&raw mut error);
    let has_succeeded = error.is_null();
    // SAFETY: it is NULL or freed once.
    unsafe { pulse_error_free(error) };
    has_succeeded
}

fn start(text: &str) -> *const c_char {
    text.as_ptr().cast()
}

struct Session(*mut pulse_session);

// SAFETY: a session is for one thread at a time, which need not be the one that made it.
unsafe impl Send for Session {}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: it is NULL or freed once.
        unsafe { pulse_session_free(self.0) };
    }
}

impl Session {
    fn instance(settings: &str) -> Self {
        let mut identity: *mut pulse_identity = null_mut();
        // SAFETY: the outputs are valid for a write.
        assert!(called(|error| unsafe { pulse_identity_generate(&raw mut identity, error) }));
        let mut session = null_mut();
        called(|error| {
            // SAFETY: the text is valid for its length, the identity lives, and the output is valid for a write.
            unsafe {
                pulse_session_new_instance(start(settings), settings.len(), identity, null(), &raw mut session, error)
            }
        });
        // SAFETY: it is freed once.
        unsafe { pulse_identity_free(identity) };
        Self(session)
    }

    fn phone(scanned: &str, settings: &str) -> Self {
        let mut session = null_mut();
        let lengths = (scanned.len(), settings.len());
        called(|error| {
            let (scanned, settings) = (start(scanned), start(settings));
            // SAFETY: the texts are valid for their lengths, and the output for a write.
            unsafe { pulse_session_new_phone(scanned, lengths.0, settings, lengths.1, &raw mut session, error) }
        });
        Self(session)
    }

    fn feed(&self, feed: pulse_feed, data: &[u8]) {
        let has_succeeded = called(|error| {
            // SAFETY: the session lives, and the data is valid for its length.
            unsafe { pulse_session_feed(self.0, feed, 1, data.as_ptr(), data.len(), 0, NOW, error) }
        });
        assert!(has_succeeded);
    }

    /// Takes everything that the session wants done; returns how much it was.
    fn poll(&self) -> usize {
        for taken in 0.. {
            let (mut what, mut connection, mut data) = (0, 0, null_mut());
            called(|error| {
                // SAFETY: the session lives, and the outputs are valid for a write.
                unsafe { pulse_session_poll(self.0, &raw mut what, &raw mut connection, &raw mut data, error) }
            });
            // SAFETY: it is freed once.
            unsafe { pulse_buffer_free(data) };
            if what == PULSE_DO_NOTHING {
                return taken;
            }
        }
        0
    }

    fn act(&self, act: &str) -> bool {
        let mut out = null_mut();
        let has_succeeded = called(|error| {
            // SAFETY: the session lives, the text is valid for its length, and the output for a write.
            unsafe { pulse_session_act(self.0, start(act), act.len(), 0, NOW, &raw mut out, error) }
        });
        // SAFETY: it is NULL or freed once.
        unsafe { pulse_buffer_free(out) };
        has_succeeded
    }
}

/// An instance's settings, with more members.
fn instance_settings(more: &str) -> String {
    format!(
        r#"{{"server_url":"wss://relay.example.test/ws/instance","credential":"\n{0}","instance_secret":"{0}"{more}}}"#,
        mark_text()
    )
}

fn pairing_code() -> String {
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.set_identity(&Identity::generate().unwrap());
    let code = Onboarding::new(&config, "relay_2e1b0929e6fd7c52", mark_text()).build().unwrap();
    code.secret_compact_code().expose_secret().to_owned()
}

pub(crate) fn an_instance_in_c() -> Job {
    let texts = (
        instance_settings(""),
        RegisterAck::new("relay_2e1b0929e6fd7c52", mark_text(), None).to_frame(0).unwrap(),
        ChannelOpen::new(7, mark_text()).to_frame(7).unwrap(),
        format!(r#"{{"act":"set_credential","credential":"\n{}"}}"#, mark_text()),
    );
    kept(texts, |(settings, ack, offer, act)| {
        let session = Session::instance(settings);
        session.feed(PULSE_FEED_START, b"");
        assert_eq!(session.poll(), 1, "Connect");
        session.feed(PULSE_FEED_CONNECTED, b"");
        assert_eq!(session.poll(), 1, "REGISTER");
        session.feed(PULSE_FEED_MESSAGE, ack);
        session.feed(PULSE_FEED_MESSAGE, offer);
        assert_eq!(session.poll(), 2, "Registered and ChannelOffered");
        assert!(session.act(r#"{"act":"accept","channel":7}"#));
        assert!(session.act(act));
        assert_eq!(session.poll(), 1, "CHANNEL_OPEN");
    })
}

pub(crate) fn a_phone_in_c() -> Job {
    let settings = format!(r#"{{"device_token":"\n{}","platform":"ios"}}"#, mark_text());
    kept((pairing_code(), settings), |(scanned, settings)| {
        let session = Session::phone(scanned, settings);
        session.feed(PULSE_FEED_START, b"");
        session.feed(PULSE_FEED_CONNECTED, b"");
        assert_eq!(session.poll(), 2, "Connect and CONNECT");
    })
}

pub(crate) fn settings_in_c_that_are_refused() -> Job {
    let refresh = format!(r#","refresh":{{"org_id":"default","instance_host":"t","refresh_token":"{}"}}"#, mark_text());
    let of_instances = vec![
        instance_settings("").replace("wss://", "https://"),
        instance_settings(r#","unknown":1"#),
        instance_settings(r#","seed":"1""#),
        // There are no keys to verify a refreshed lease with.
        instance_settings(&refresh),
        instance_settings(&refresh.replace('}', r#","unknown":1}"#)),
    ];
    let of_phones = vec![
        format!(r#"{{"device_token":"{}","unknown":1}}"#, mark_text()),
        format!(r#"{{"device_token":"\n{}","seed":-1}}"#, mark_text()),
    ];
    let whole = format!(r#"{{"device_token":"{}"}}"#, mark_text());
    kept((of_instances, of_phones, whole, pairing_code()), |(of_instances, of_phones, whole, scanned)| {
        for settings in of_instances {
            assert!(Session::instance(settings).0.is_null());
        }
        for settings in of_phones {
            assert!(Session::phone(scanned, settings).0.is_null());
        }
        assert!(Session::phone("not a code", whole).0.is_null());
    })
}

pub(crate) fn acts_in_c_that_are_refused() -> Job {
    let acts = vec![
        format!(r#"{{"act":"set_credential","credential":"{}"}}"#, mark_text()),
        format!(r#"{{"act":"set_credential","credential":"\n{}","unknown":1}}"#, mark_text()),
        format!(r#"{{"act":"request","credential":"{}","body":"!"}}"#, mark_text()),
    ];
    kept((Session::phone(&pairing_code(), "{}"), acts), |(session, acts)| {
        for act in acts {
            assert!(!session.act(act));
        }
    })
}

pub(crate) fn a_frame_in_c() -> Job {
    Box::new(|| {
        let mut frame = null_mut();
        let has_succeeded = called(|error| {
            // SAFETY: the payload is valid for its length, and the output for a write.
            unsafe { pulse_frame_encode(1, 0, MARK.as_ptr(), MARK.len(), &raw mut frame, error) }
        });
        assert!(has_succeeded);
        // SAFETY: it is freed once.
        unsafe { pulse_buffer_free(frame) };
    })
}
