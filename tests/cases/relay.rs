//! The relay's config, its file and the frames, against what the deployed runtime reads and writes.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use pulse_trust::relay::{
    ChannelClose, ChannelOpen, Connect, ConnectAck, ControlPayload, Drain, ErrorMessage, Frame, FrameType,
    PushNotification, Register, RegisterAck, RelayConfig, RelayEnvironment, WireErrorCode, validate_server_url,
};
use pulse_trust::storage::DataDir;
use pulse_trust::{Error, Warning};
use serde_json::Value;

use crate::common::saving::Saving;
use crate::common::sealing::{master_key, unseal};
use crate::common::{bytes_of_hex, copied, files_of, text, vectors};
use crate::ours::is_ours;
use crate::{each, each_as};

pub fn tests() -> Vec<Trial> {
    let mut tests = each("relay_config.json", "server_urls", server_url);
    tests.extend(each("relay_config.json", "environment", environment));
    tests.extend(each("frames.json", "frames", frame));
    tests.extend(each("frames.json", "decode", damaged_frame));
    tests.extend(each("relay_enc.json", "cases", read_and_kept));
    tests.extend(each_as("relay_enc/saved", "relay_enc.json", "cases", saved));
    tests
}

fn server_url(_: &Value, case: &Value) {
    let outcome = validate_server_url(text(case, "url"));
    if !is_ours("relay_config", case, "validate", &outcome) {
        assert_eq!(outcome.is_ok(), case["valid"].as_bool().unwrap());
    }
}

/// The values of PULSE_RELAY_ENABLED and PULSE_RELAY_SERVER that say nothing, with a warning.
const IGNORED: [&str; 3] = ["2", "maybe", "https://env.example.test/"];

fn environment(_: &Value, case: &Value) {
    let names = ["PULSE_RELAY_ENABLED", "PULSE_RELAY_SERVER"];
    let values = names.map(|name| text(case, name));
    let (environment, warnings) = RelayEnvironment::from_values(Some(values[0]), Some(values[1]));
    let mut config = RelayConfig::from_json(&case["file"].to_string()).unwrap();
    environment.apply(&mut config);
    assert_eq!(as_json(&config), case["effective"]);
    let ignored: Vec<&str> = warnings
        .iter()
        .map(|warning| match warning {
            Warning::EnvironmentIgnored { variable, .. } => *variable,
            other => panic!("{other:?}"),
        })
        .collect();
    let expected: Vec<&str> =
        names.into_iter().zip(values).filter(|(_, value)| IGNORED.contains(value)).map(|(name, _)| name).collect();
    assert_eq!(ignored, expected);
}

fn frame(_: &Value, case: &Value) {
    let bytes = bytes_of_hex(text(case, "frame_hex"));
    let frame = Frame::decode(&bytes).unwrap();
    assert_eq!(frame.frame_type.name(), text(case, "type"));
    assert_eq!(u64::from(frame.channel), case["channel"].as_u64().unwrap());
    assert_eq!(frame.payload, case["payload_text"].as_str().unwrap().as_bytes());
    assert_eq!(frame.encode().unwrap(), bytes);
    assert_eq!(written_again(&frame), bytes);
}

/// The frame after its payload went through the type that belongs to it.
fn written_again(frame: &Frame<'_>) -> Vec<u8> {
    fn again<P: ControlPayload>(frame: &Frame<'_>) -> Vec<u8> {
        P::from_frame(frame).unwrap().to_frame(frame.channel).unwrap()
    }
    match frame.frame_type {
        FrameType::Register => again::<Register>(frame),
        FrameType::RegisterAck => again::<RegisterAck>(frame),
        FrameType::Connect => again::<Connect>(frame),
        FrameType::ConnectAck => again::<ConnectAck>(frame),
        FrameType::ChannelOpen => again::<ChannelOpen>(frame),
        FrameType::ChannelClose => again::<ChannelClose>(frame),
        FrameType::Error => {
            let message = ErrorMessage::from_frame(frame).unwrap();
            assert_eq!(message.wire_code().map(WireErrorCode::as_str), Some(message.code.as_str()));
            again::<ErrorMessage>(frame)
        }
        FrameType::Drain => again::<Drain>(frame),
        FrameType::PushNotification => again::<PushNotification>(frame),
        _ => frame.encode().unwrap(),
    }
}

fn damaged_frame(_: &Value, case: &Value) {
    let class = match Frame::decode(&bytes_of_hex(text(case, "hex"))) {
        Ok(_) => "",
        Err(Error::FrameTooShort { .. }) => "too_short",
        Err(Error::FrameVersion { .. }) => "unsupported_version",
        Err(Error::FrameType { .. }) => "unknown_type",
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(class, case["error"].as_str().unwrap());
}

fn read_and_kept(_: &Value, case: &Value) {
    let directory = copied(&vectors().join("relay_enc").join(text(case, "name")));
    let before = files_of(directory.path());
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let loaded = data_dir.relay_config();
    if case["error"].as_bool().unwrap() {
        let error = loaded.unwrap_err();
        assert!(matches!(error, Error::UnsealFailed { .. } | Error::FileMalformed { .. }), "{error:?}");
        assert_eq!(data_dir.save_config(&RelayConfig::default()), Err(error), "saved over it");
        assert!(files_of(directory.path()) == before, "a refused file was changed");
        return;
    }
    let loaded = loaded.unwrap();
    assert_eq!(loaded.warnings, []);
    // The vectors leave out what the deployed runtime does not know.
    let mut value = as_json(&loaded.value);
    let known = case["config"].as_object().unwrap();
    value.as_object_mut().unwrap().retain(|member, _| known.contains_key(member));
    assert_eq!(value, case["config"]);
    let after = files_of(directory.path());
    assert_eq!(after != before, case["file_rewritten"].as_bool().unwrap());
    if after != before {
        assert_eq!(sealed_text(directory.path()).as_bytes(), before["relay.enc"], "the same text, sealed");
        assert_eq!(as_json(&data_dir.relay_config().unwrap().value), as_json(&loaded.value));
        assert!(files_of(directory.path()) == after, "sealed twice");
    }
}

/// What was sealed is saved as the same text; of a file that is plain, damaged or absent there is nothing to compare.
fn saved(_: &Value, case: &Value) {
    let directory = copied(&vectors().join("relay_enc").join(text(case, "name")));
    let is_sealed = directory.path().join("relay.enc").exists() && !case["file_rewritten"].as_bool().unwrap();
    if case["error"].as_bool().unwrap() || !is_sealed {
        return;
    }
    let before = (files_of(directory.path()), sealed_text(directory.path()));
    let data_dir = DataDir::new(directory.path()).lock().unwrap();
    let config = data_dir.relay_config().unwrap().value;
    assert_eq!(data_dir.save_config(&config), Ok(Vec::new()));
    assert_eq!(sealed_text(directory.path()), before.1);
    assert!(files_of(directory.path()) != before.0, "sealed under a new nonce");
}

pub fn as_json(config: &RelayConfig) -> Value {
    serde_json::from_str(config.secret_json().expose_secret()).unwrap()
}

fn sealed_text(directory: &Path) -> String {
    unseal(master_key(directory), &fs::read(directory.join("relay.enc")).unwrap())
}
