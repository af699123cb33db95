//! The relay config: server URLs, the environment over the file, the JSON text (formats.md#encrypted-files).

use crate::common::vector_file;
use pulse_trust::Error;
use pulse_trust::relay::{DEFAULT_SERVER_URL, Identity, RelayConfig, RelayEnvironment, validate_server_url};

#[test]
fn server_urls_at_the_edges() {
    for valid in [
        "wss://h/a%20b",
        "wss://h/?",
        "wss://h/#",
        "wss://h?#",
        "ws://h:1",
        "wss://[::1]",
        "wss://[::1]:",
        "wss://h/a:b@c",
        "wss://%c3%a9.test/",
        "wss://é.test/",
    ] {
        assert_eq!(validate_server_url(valid), Ok(()), "{valid}");
    }
    for invalid in [
        "wss://@h/",
        "wss://h/%",
        "wss://h/%4",
        "wss://h/?a",
        "wss://h?a",
        "wss://h??",
        "wss://h#a",
        "wss://h:+1/",
        "wss://h:1 /",
        "wss://h:00000/",
        "wss://a:b:1/",
        "wss://[::1",
        "wss://[::1]1",
        "wss://[h]/",
        "wss://[::1%25]/",
        "wss://h\u{7f}/",
        "wss://h/\n",
        "wss://a\u{a0}b/",
        "wss://a\u{85}b/",
        "wss://a%20b/",
        "wss://a\\b/",
        "wss:/h/",
        "wss:h",
        "wss//h",
        "://h",
        "wss ://h/",
        "\u{feff}wss://h/",
    ] {
        assert!(matches!(validate_server_url(invalid), Err(Error::ServerUrlInvalid { .. })), "{invalid:?}");
    }
}

#[test]
fn what_is_not_set_is_no_warning() {
    for unset in [None, Some(""), Some(" \t\u{a0}")] {
        assert_eq!(RelayEnvironment::from_values(unset, unset), (RelayEnvironment::default(), Vec::new()));
    }
}

#[test]
fn a_warning_does_not_repeat_a_password() {
    let (_, warnings) = RelayEnvironment::from_values(None, Some("wss://me:hunter2@relay.example.test/"));
    assert_eq!(warnings.len(), 1);
    for warning in warnings {
        assert!(!warning.to_string().contains("hunter2"), "{warning}");
    }
}

#[test]
fn the_default_is_the_deployed_one() {
    let file = vector_file("relay_config.json");
    assert_eq!(as_json(&RelayConfig::default()), file["default_config"]);
    assert_eq!(as_json(&RelayConfig::from_json("{}").unwrap()), file["default_config"]);
    assert_eq!(
        RelayConfig::default().secret_json().expose_secret(),
        format!(
            "{{\n  \"enabled\": false,\n  \"server_url\": \"{DEFAULT_SERVER_URL}\",\n  \"instance_secret\": \"\"\n}}"
        )
    );
}

#[test]
fn unknown_members_survive_a_change_in_their_order_and_as_they_are() {
    let text = r#"{"z":{"b":1,"a":[1.50,"\u003c<"]},"instance_secret":"s","enabled":false,"a":null,"m<":1e400}"#;
    let mut config = RelayConfig::from_json(text).unwrap();
    config.enabled = true;
    config.identity_private_key = Some("p".into());
    config.identity_public_key = Some("q".to_owned());
    config.identity_fingerprint = Some("r".to_owned());
    let expected = format!(
        "{{\n  \"enabled\": true,\n  \"server_url\": \"{DEFAULT_SERVER_URL}\",\n  \"instance_secret\": \"s\",\n  \
         \"identity_private_key\": \"p\",\n  \"identity_public_key\": \"q\",\n  \"identity_fingerprint\": \"r\",\n  \
         \"z\": {{\"b\":1,\"a\":[1.50,\"\\u003c<\"]}},\n  \"a\": null,\n  \"m\\u003c\": 1e400\n}}"
    );
    assert_eq!(config.secret_json().expose_secret(), expected);
    let again = RelayConfig::from_json(&expected).unwrap();
    assert_eq!(again.secret_json().expose_secret(), expected);
}

#[test]
fn null_counts_as_missing() {
    let text = r#"{"enabled":null,"server_url":null,"instance_secret":null,"identity_private_key":null}"#;
    let config = RelayConfig::from_json(text).unwrap();
    assert_eq!(as_json(&config), as_json(&RelayConfig::default()));
    assert!(config.is_untouched());
}

#[test]
fn what_is_no_config_is_refused() {
    for text in [
        "",
        "null",
        "[]",
        "\"{}\"",
        "1",
        "{",
        "{}{}",
        "{\"enabled\":1}",
        "{\"enabled\":\"true\"}",
        "{\"server_url\":1}",
        "{\"instance_secret\":[]}",
        "{\"enabled\":true,\"enabled\":true}",
        "{\"enabled\":true,\"\\u0065nabled\":false}",
        "{\"future\":1,\"future\":1}",
        "{\"instance_secret\":\"\\ud800\"}",
    ] {
        assert!(RelayConfig::from_json(text).is_err(), "{text}");
    }
}

#[test]
fn a_server_url_alone_is_no_touch() {
    let touched = [
        "{\"enabled\":true}",
        "{\"instance_secret\":\"s\"}",
        "{\"identity_private_key\":\"k\"}",
        "{\"identity_public_key\":\"k\"}",
        "{\"identity_fingerprint\":\"f\"}",
    ];
    for text in touched {
        let config = RelayConfig::from_json(text).unwrap();
        assert!(!config.is_untouched() && config.lacks_identity(), "{text}");
    }
    assert!(RelayConfig::from_json("{\"server_url\":\"wss://own.example.test\",\"future\":1}").unwrap().is_untouched());
    let mut config = RelayConfig::default();
    config.set_identity(&Identity::generate().unwrap());
    assert!(!config.lacks_identity() && config.identity().is_ok());
}

#[test]
fn debug_shows_no_secret() {
    let mut config = RelayConfig::from_json(r#"{"server_url":"wss://me:hunter2@h","future":"hunter2"}"#).unwrap();
    config.instance_secret = "hunter2".to_owned().into();
    config.identity_private_key = Some("hunter2".into());
    config.identity_fingerprint = Some("AA:BB".to_owned());
    assert_eq!(format!("{config:?}"), "RelayConfig { enabled: false, identity_fingerprint: Some(\"AA:BB\"), .. }");
}

fn as_json(config: &RelayConfig) -> serde_json::Value {
    serde_json::from_str(config.secret_json().expose_secret()).unwrap()
}

#[test]
fn an_identity_lacks_as_long_as_one_part_does() {
    let mut whole = RelayConfig::default();
    assert!(whole.lacks_identity());
    whole.set_identity(&pulse_trust::relay::Identity::generate().unwrap());
    assert!(!whole.lacks_identity());
    let parts: [fn(&mut RelayConfig); 6] = [
        |config| config.identity_private_key = None,
        |config| config.identity_public_key = None,
        |config| config.identity_fingerprint = None,
        // In the file that is the same.
        |config| config.identity_private_key = Some("".into()),
        |config| config.identity_public_key = Some(String::new()),
        |config| config.identity_fingerprint = Some(String::new()),
    ];
    for clear in parts {
        let mut config = RelayConfig::from_json(whole.secret_json().expose_secret()).unwrap();
        clear(&mut config);
        assert!(config.lacks_identity());
    }
}
