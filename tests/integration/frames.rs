//! Frames and their control payloads, byte for byte as the deployed runtime writes them (formats.md#frames).

use crate::common::vector_file;
use pulse_trust::Error;
use pulse_trust::relay::{
    Body, ChannelOpen, Connect, ControlPayload, Frame, FrameType, MAX_BODY_LEN, MAX_PAYLOAD_LEN, ProxyRequest,
    ProxyResponse, Register, RegisterAck,
};

#[test]
fn payloads_and_bodies_are_bounded() {
    let file = vector_file("frames.json");
    let sizes = file["payload_sizes"].as_object().unwrap();
    assert!(!sizes.is_empty());
    for (size, fits) in sizes {
        let payload = vec![0; size.parse().unwrap()];
        assert_eq!(Frame::new(FrameType::Data, 1, &payload).encode().is_ok(), fits.as_bool().unwrap());
        let bytes = [&[1, 7, 0, 0, 0, 1], payload.as_slice()].concat();
        assert_eq!(Frame::decode(&bytes).is_ok(), fits.as_bool().unwrap());
    }
    assert_eq!(MAX_PAYLOAD_LEN, 65_536);
    assert_eq!(u64::try_from(MAX_BODY_LEN).unwrap(), file["proxy_max_body"].as_u64().unwrap());
    assert!(Body::new(vec![0; MAX_BODY_LEN]).is_ok());
    assert!(matches!(Body::new(vec![0; MAX_BODY_LEN + 1]), Err(Error::BodyTooLarge { .. })));
    let longest = Body::new(vec![0; MAX_BODY_LEN]).unwrap();
    let text = {
        let mut proxy_response = ProxyResponse::new("1", 0);
        proxy_response.body = longest;
        proxy_response
    }
    .to_json();
    assert!(ProxyResponse::from_json(text.as_bytes()).is_ok());
    let longer = text.replace("\"body\":\"", "\"body\":\"AAAA");
    assert!(ProxyResponse::from_json(longer.as_bytes()).is_err());
}

#[test]
fn proxied_messages_are_written_byte_for_byte() {
    let file = vector_file("frames.json");
    let request = file["proxy_request"].as_str().unwrap();
    assert_eq!(ProxyRequest::from_json(request.as_bytes()).unwrap().to_json(), request);
    let response = file["proxy_response"].as_str().unwrap();
    assert_eq!(ProxyResponse::from_json(response.as_bytes()).unwrap().to_json(), response);
}

#[test]
fn readers_take_unknown_members_and_null_but_no_wrong_types() {
    let register = Register::from_json(br#"{"license_token":"a.b.c","session_token":null,"new":[1]}"#).unwrap();
    assert_eq!(register.license_token.expose_secret(), "a.b.c");
    for bad in [&b"{\"license_token\":1}"[..], b"[]x", b"", b"{} {}", b"\xff"] {
        assert!(matches!(Register::from_json(bad), Err(Error::ControlPayload { frame: "REGISTER", .. })));
    }
    let ping = Frame::new(FrameType::Ping, 0, b"");
    assert!(Register::from_frame(&ping).is_err());
}

#[test]
fn debug_output_and_errors_show_no_secret() {
    let secret = "SECRET";
    let register = {
        let mut register = Register::new(secret);
        register.session_token = Some(secret.into());
        register.instance_hint = Some(secret.into());
        register.client_version = Some("6.3.0".to_owned());
        register.identity_pub_key = Some("key".to_owned());
        register
    };
    assert_eq!(
        format!("{register:?}"),
        r#"Register { client_version: Some("6.3.0"), identity_pub_key: Some("key"), identity_proof: None, .. }"#
    );
    let connect = {
        let mut connect = Connect::new("", secret);
        connect.device_token = Some(secret.into());
        connect
    };
    let ack = RegisterAck::new("", secret, None);
    let open = ChannelOpen::new(7, secret);
    let frame_bytes = register.to_frame(0).unwrap();
    let frame = Frame::decode(&frame_bytes).unwrap();
    let refused = Register::from_json(br#"{"license_token":"SECRET","session_token":["SECRET"]}"#).unwrap_err();
    for text in [format!("{connect:?}{ack:?}{open:?}{frame:?}"), format!("{refused:?} {refused}")] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_body_is_empty_where_it_has_no_bytes() {
    assert!(Body::default().is_empty() && !Body::new(vec![0]).unwrap().is_empty());
}

#[test]
fn a_payload_that_is_refused_says_whether_it_is_json_at_all() {
    let reason = |payload: &[u8]| match Register::from_json(payload) {
        Err(Error::ControlPayload { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(b"{"), "not one JSON object, at line 1 column 1");
    assert_eq!(reason(br#"{"session_token":7}"#), "a member is missing or of the wrong type, at line 1 column 19");
}
