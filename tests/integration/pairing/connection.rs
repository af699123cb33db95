//! Why a phone does not get through.

use pulse_trust::pairing::{ConnectionCheck, Diagnostic, InstanceIdVerdict, TokenVerdict, check_connection};

const RIGHT: ConnectionCheck<'_> = ConnectionCheck {
    relay_enabled: true,
    server_url: "wss://relay.example.test/ws/instance",
    own_instance_id: InstanceIdVerdict::Registered("relay_2e1b0929e6fd7c52"),
    instance_id: "relay_2e1b0929e6fd7c52",
    relay_url: "wss://relay.example.test/ws/app",
    auth_token: "the-token",
    token_verdict: TokenVerdict::Known,
};

#[test]
fn nothing_is_wrong_where_both_sides_agree() {
    assert_eq!(check_connection(&RIGHT), []);
    let padded = ConnectionCheck {
        instance_id: " relay_2e1b0929e6fd7c52\n",
        relay_url: " WSS://Relay.Example.Test/ws/app/#x ",
        auth_token: " t ",
        ..RIGHT
    };
    assert_eq!(check_connection(&padded), []);
    // A runtime whose own URL is not valid, or empty, has nothing to compare with.
    for server_url in ["", "relay.example.test", "https://other.example.test"] {
        assert_eq!(check_connection(&ConnectionCheck { server_url, ..RIGHT }), []);
    }
}

#[test]
fn each_fault_has_its_diagnostic() {
    for (check, expected) in [
        (ConnectionCheck { relay_enabled: false, ..RIGHT }, "relay_disabled error relay_url - -"),
        (ConnectionCheck { instance_id: " ", ..RIGHT }, "instance_id_missing error instance_id - -"),
        (
            ConnectionCheck { own_instance_id: InstanceIdVerdict::Unverifiable, ..RIGHT },
            "instance_id_unverifiable warning instance_id - -",
        ),
        (
            ConnectionCheck { own_instance_id: InstanceIdVerdict::Registered(" "), ..RIGHT },
            "instance_id_unverifiable warning instance_id - -",
        ),
        (
            ConnectionCheck { instance_id: "relay_0", ..RIGHT },
            "instance_id_mismatch error instance_id relay_2e1b0929e6fd7c52 relay_0",
        ),
        (ConnectionCheck { relay_url: "", ..RIGHT }, "relay_url_missing error relay_url - -"),
        (ConnectionCheck { relay_url: "https://h", ..RIGHT }, "relay_url_invalid error relay_url - https://h"),
        (
            ConnectionCheck { relay_url: "wss://Other.test/ws/app/", ..RIGHT },
            "relay_url_mismatch error relay_url wss://relay.example.test/ws/app wss://other.test/ws/app",
        ),
        (
            ConnectionCheck { relay_url: "wss://relay.example.test/ws/instance", ..RIGHT },
            "relay_url_mismatch error relay_url wss://relay.example.test/ws/app wss://relay.example.test/ws/instance",
        ),
        (ConnectionCheck { auth_token: "\t", ..RIGHT }, "auth_token_missing error auth_token - -"),
        (ConnectionCheck { token_verdict: TokenVerdict::Unknown, ..RIGHT }, "auth_token_invalid error auth_token - -"),
    ] {
        assert_eq!(check_connection(&check).iter().map(line).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn all_that_is_wrong_is_told_in_order() {
    let codes = |check: &ConnectionCheck<'_>| -> Vec<_> {
        check_connection(check).iter().map(|diagnostic| diagnostic.code.as_str()).collect()
    };
    let nothing = ConnectionCheck::default();
    let expected = ["relay_disabled", "instance_id_missing", "relay_url_missing", "auth_token_missing"];
    assert_eq!(codes(&nothing), expected);
    let unsure = ConnectionCheck { instance_id: "x", relay_url: "x", ..nothing };
    let expected = ["relay_disabled", "instance_id_unverifiable", "relay_url_invalid", "auth_token_missing"];
    assert_eq!(codes(&unsure), expected);
    let wrong = ConnectionCheck {
        relay_enabled: false,
        instance_id: "x",
        relay_url: "wss://x",
        token_verdict: TokenVerdict::default(),
        ..RIGHT
    };
    assert_eq!(codes(&wrong), ["relay_disabled", "instance_id_mismatch", "relay_url_mismatch", "auth_token_invalid"]);
}

#[test]
fn a_diagnostic_is_the_object_of_the_formats() {
    let diagnostics = check_connection(&ConnectionCheck { instance_id: "x", auth_token: "", ..RIGHT });
    assert!(diagnostics.iter().all(Diagnostic::is_error));
    let json = format!("[{}]", diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>().join(","));
    let expected = format!(
        "[{{\"code\":\"instance_id_mismatch\",\"severity\":\"error\",\"message\":\"{}\",\"field\":\"instance_id\",\
         \"expected\":\"{}\",\"received\":\"x\"}},\
         {{\"code\":\"auth_token_missing\",\"severity\":\"error\",\"message\":\"{}\",\"field\":\"auth_token\"}}]",
        diagnostics[0].message, RIGHT.instance_id, diagnostics[1].message
    );
    assert_eq!(json, expected);
}

fn line(diagnostic: &Diagnostic) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
    assert!(diagnostic.message.ends_with('.'));
    [
        diagnostic.code.as_str(),
        diagnostic.severity.as_str(),
        diagnostic.field.unwrap(),
        &part(&diagnostic.expected),
        &part(&diagnostic.received),
    ]
    .join(" ")
}
