//! The ways of the credentials in control messages.

use core::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::relay::{ChannelOpen, Connect, ControlPayload, Frame, Identity, Register, RegisterAck};
use pulse_trust::session::{Now, PhoneConfig, PhoneEnd};

use crate::paths::{Job, kept};
use crate::scanner::mark_text;

fn control_messages() -> (Register, RegisterAck, Connect, ChannelOpen) {
    let mut register = Register::new(mark_text());
    register.session_token = Some(format!("\"{}", mark_text()).into());
    register.instance_hint = Some(mark_text().into());
    (
        register,
        RegisterAck::new("relay_1", mark_text(), None),
        Connect::new("relay_1", mark_text()),
        ChannelOpen::new(7, mark_text()),
    )
}

pub(crate) fn control_messages_are_written_and_read() -> Job {
    kept(control_messages(), |(register, ack, connect, open)| {
        let frames = [register.to_frame(0), ack.to_frame(0), connect.to_frame(0), open.to_frame(7)];
        // The frames are the caller's to wipe.
        let frames = std::mem::ManuallyDrop::new(frames.map(Result::unwrap));
        let [register, ack, connect, open] = frames.each_ref().map(|frame| Frame::decode(frame).unwrap());
        drop(Register::from_frame(&register).unwrap());
        drop(RegisterAck::from_frame(&ack).unwrap());
        drop(Connect::from_frame(&connect).unwrap());
        drop(ChannelOpen::from_frame(&open).unwrap());
    })
}

pub(crate) fn control_messages_that_are_refused() -> Job {
    let texts = vec![
        format!(r#"{{"license_token":"{0}","session_token":7,"auth_token":7}}"#, mark_text()),
        format!(
            r#"{{"license_token":"\n{0}","auth_token":"\n{0}","license_token":"{0}","auth_token":"{0}"}}"#,
            mark_text()
        ),
        format!(r#"{{"license_token":"\n{0}","auth_token":"\n{0}"#, mark_text()),
    ];
    kept(texts, |texts| {
        for text in texts {
            assert!(Register::from_json(text.as_bytes()).is_err() && Connect::from_json(text.as_bytes()).is_err());
        }
    })
}

/// CONNECT waits to be sent when its connection is lost, and when its end is dropped.
pub(crate) fn frames_that_are_never_sent() -> Job {
    let identity = Identity::generate().unwrap();
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));
    let connecting = || {
        let config =
            PhoneConfig::new("wss://relay.example.test/ws/app", "relay_1", mark_text(), identity.public_key().clone());
        let mut end = PhoneEnd::new(config, 1).unwrap();
        end.start(now);
        let Some(pulse_trust::session::Output::Connect { connection, .. }) = end.poll_output() else { panic!() };
        (end, connection)
    };
    let [(mut lost, connection), (mut dropped, other)] = [connecting(), connecting()];
    Box::new(move || {
        lost.handle_connected(connection, now);
        lost.handle_disconnected(connection, now);
        dropped.handle_connected(other, now);
        drop((lost, dropped));
    })
}
