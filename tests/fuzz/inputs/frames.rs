//! Any bytes as a frame, its payload as every control message and proxied message: what is read can be written.
use pulse_trust::relay::{
    ChannelClose, ChannelOpen, Connect, ConnectAck, ControlPayload, Drain, ErrorMessage, Frame, Identity, ProxyRequest,
    ProxyResponse, PushNotification, Register, RegisterAck, accept_key_exchange,
};

pub(crate) fn run(bytes: &[u8]) {
    let Ok(frame) = Frame::decode(bytes) else { return };
    assert_eq!(frame.encode().expect("a frame that was read"), bytes);
    let channel = frame.channel;
    macro_rules! control {
        ($($payload:ident)*) => {$(
            if let Ok(payload) = $payload::from_frame(&frame) {
                if let Ok(written) = payload.to_frame(channel) {
                    let read = Frame::decode(&written).and_then(|frame| $payload::from_frame(&frame));
                    assert_eq!(read.expect("what was written").to_frame(channel).expect("again"), written);
                }
            }
        )*};
    }
    control!(Register RegisterAck Connect ConnectAck ChannelOpen ChannelClose ErrorMessage Drain PushNotification);
    if let Ok(request) = ProxyRequest::from_json(frame.payload) {
        request.to_json();
    }
    if let Ok(response) = ProxyResponse::from_json(frame.payload) {
        response.to_json();
    }
    if frame.payload.len() == 33 {
        let identity = Identity::generate().expect("random bytes");
        if let Ok((mut instance, answer)) = accept_key_exchange(frame.payload, &identity) {
            assert_eq!(answer.len(), 97);
            instance.open(bytes).expect_err("never sealed");
        }
    }
}
