//! The ways of credentials through the C functions.

use core::ptr::{null, null_mut};

use pulse_trust::ffi::buffer::pulse_buffer_free;
use pulse_trust::ffi::identity::{pulse_identity_free, pulse_identity_generate};
use pulse_trust::ffi::session::{
    PULSE_DO_CONNECT, PULSE_DO_SEND, PULSE_FEED_CONNECTED, PULSE_FEED_START, pulse_session_feed, pulse_session_free,
    pulse_session_new_instance, pulse_session_poll,
};

use crate::paths::{Job, kept};
use crate::scanner::mark_text;

/// A session across the C boundary: its settings, REGISTER as it is handed out, and settings that are refused.
pub(crate) fn a_session_across_the_c_boundary() -> Job {
    let refresh =
        format!(r#"{{"org_id":"default","instance_host":"t-1.example.test","refresh_token":"{}"}}"#, mark_text());
    let settings = |server_url: &str, more: &str| {
        let (mark, seed) = (mark_text(), 1);
        format!(
            r#"{{"server_url":"{server_url}","credential":"{mark}","instance_secret":"{mark}","seed":{seed}{more}}}"#
        )
    };
    let url = "wss://relay.example.test/ws/instance";
    let taken = settings(url, "");
    let refused = [
        settings("gopher://x", ""),
        settings(url, r#","unknown":1"#),
        settings(url, &format!(r#","refresh":{refresh}"#)),
    ];
    kept((taken, refused), |(taken, refused)| {
        // SAFETY: every pointer is NULL, or valid for its length, or made by the library and freed once.
        unsafe {
            let mut identity = null_mut();
            pulse_identity_generate(&raw mut identity, null_mut());
            for settings in refused {
                let mut session = null_mut();
                let (start, length) = (settings.as_ptr().cast(), settings.len());
                pulse_session_new_instance(start, length, identity, null(), &raw mut session, null_mut());
                assert!(session.is_null());
            }
            let mut session = null_mut();
            let (start, length) = (taken.as_ptr().cast(), taken.len());
            pulse_session_new_instance(start, length, identity, null(), &raw mut session, null_mut());
            for feed in [PULSE_FEED_START, PULSE_FEED_CONNECTED] {
                pulse_session_feed(session, feed, 1, null(), 0, 0, 1_800_000_000, null_mut());
            }
            for kind in [PULSE_DO_CONNECT, PULSE_DO_SEND] {
                let (mut what, mut connection, mut data) = (0, 0, null_mut());
                pulse_session_poll(session, &raw mut what, &raw mut connection, &raw mut data, null_mut());
                assert_eq!(what, kind);
                pulse_buffer_free(data);
            }
            pulse_session_free(session);
            pulse_identity_free(identity);
        }
    })
}
