//! The ways of the credentials in control messages.

use pulse_trust::relay::{ChannelOpen, Connect, ControlPayload, Frame, Register, RegisterAck};

use crate::paths::{Job, kept};
use crate::scanner::mark_text;

fn control_messages() -> (Register, RegisterAck, Connect, ChannelOpen) {
    let mut register = Register::new(mark_text());
    register.session_token = format!("\"{}", mark_text()).into();
    register.instance_hint = mark_text().into();
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
