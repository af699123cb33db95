//! Why a phone does not get through.

use pulse_trust::pairing::{ConnectionCheck, Diagnostic, InstanceIdVerdict, TokenVerdict, check_connection};

fn right() -> ConnectionCheck<'static> {
    let id = "relay_2e1b0929e6fd7c52";
    let mut check = ConnectionCheck::new(id, "wss://relay.example.test/ws/app", "the-token");
    check.relay_enabled = true;
    check.server_url = "wss://relay.example.test/ws/instance";
    check.own_instance_id = InstanceIdVerdict::Registered(id);
    check.token_verdict = TokenVerdict::Known;
    check
}

macro_rules! right_but {
    ($($field:ident: $value:expr),*) => {{
        let mut check = right();
        $(check.$field = $value;)*
        check
    }};
}

#[test]
fn nothing_is_wrong_where_both_sides_agree() {
    assert_eq!(check_connection(&right()), []);
    let padded = right_but!(instance_id: " relay_2e1b0929e6fd7c52\n", relay_url: " WSS://Relay.Example.Test/ws/app/#x ", auth_token: " t ");
    assert_eq!(check_connection(&padded), []);
    // A runtime whose own URL is not valid, or empty, has nothing to compare with.
    for server_url in ["", "relay.example.test", "https://other.example.test"] {
        assert_eq!(check_connection(&right_but!(server_url: server_url)), []);
    }
}

#[test]
fn each_fault_has_its_diagnostic() {
    for (check, expected) in [
        (right_but!(relay_enabled: false), "relay_disabled error relay_url - -"),
        (right_but!(instance_id: " "), "instance_id_missing error instance_id - -"),
        (
            right_but!(own_instance_id: InstanceIdVerdict::Unverifiable),
            "instance_id_unverifiable warning instance_id - -",
        ),
        (
            right_but!(own_instance_id: InstanceIdVerdict::Registered(" ")),
            "instance_id_unverifiable warning instance_id - -",
        ),
        (right_but!(instance_id: "relay_0"), "instance_id_mismatch error instance_id relay_2e1b0929e6fd7c52 relay_0"),
        (right_but!(relay_url: ""), "relay_url_missing error relay_url - -"),
        (right_but!(relay_url: "https://h"), "relay_url_invalid error relay_url - https://h"),
        (
            right_but!(relay_url: "wss://Other.test/ws/app/"),
            "relay_url_mismatch error relay_url wss://relay.example.test/ws/app wss://other.test/ws/app",
        ),
        (
            right_but!(relay_url: "wss://relay.example.test/ws/instance"),
            "relay_url_mismatch error relay_url wss://relay.example.test/ws/app wss://relay.example.test/ws/instance",
        ),
        (right_but!(auth_token: "\t"), "auth_token_missing error auth_token - -"),
        (right_but!(token_verdict: TokenVerdict::Unknown), "auth_token_invalid error auth_token - -"),
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
    let unsure = ConnectionCheck::new("x", "x", "");
    let expected = ["relay_disabled", "instance_id_unverifiable", "relay_url_invalid", "auth_token_missing"];
    assert_eq!(codes(&unsure), expected);
    let wrong = right_but!(relay_enabled: false, instance_id: "x", relay_url: "wss://x", token_verdict: TokenVerdict::default());
    assert_eq!(codes(&wrong), ["relay_disabled", "instance_id_mismatch", "relay_url_mismatch", "auth_token_invalid"]);
}

#[test]
fn a_diagnostic_is_the_object_of_the_formats() {
    let diagnostics = check_connection(&right_but!(instance_id: "x", auth_token: ""));
    assert!(diagnostics.iter().all(Diagnostic::is_error));
    let json = format!("[{}]", diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>().join(","));
    let expected = format!(
        "[{{\"code\":\"instance_id_mismatch\",\"severity\":\"error\",\"message\":\"{}\",\"field\":\"instance_id\",\
         \"expected\":\"{}\",\"received\":\"x\"}},\
         {{\"code\":\"auth_token_missing\",\"severity\":\"error\",\"message\":\"{}\",\"field\":\"auth_token\"}}]",
        diagnostics[0].message,
        right().instance_id,
        diagnostics[1].message
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
