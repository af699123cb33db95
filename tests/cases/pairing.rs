//! What the runtime offers to a phone, byte for byte as deployed.

use libtest_mimic::Trial;
use pulse_trust::pairing::{OnboardingPayload, relay_url_for_app, relay_url_normal_form};

use crate::vector::{Case, File, RelayUrl};

pub fn tests() -> Vec<Trial> {
    let file = File::read();
    let mut tests: Vec<Trial> = (0..file.cases.len())
        .map(|index| {
            Trial::test(format!("onboarding/{}", file.cases[index].name), move || {
                onboarding(&File::read().cases[index]);
                Ok(())
            })
        })
        .collect();
    tests.extend((0..file.relay_urls.len()).map(|index| {
        Trial::test(format!("onboarding/relay_urls/{index}:{}", file.relay_urls[index].input), move || {
            relay_url(&File::read().relay_urls[index]);
            Ok(())
        })
    }));
    tests
}

fn onboarding(case: &Case) {
    let built = case.build();
    assert_eq!(built.is_ok(), case.ready);
    let diagnostics = match &built {
        Ok(payload) => &payload.diagnostics,
        Err(not_ready) => &not_ready.diagnostics,
    };
    let codes: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect();
    assert_eq!(codes, case.expected_codes());
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.message.is_empty()));
    let Ok(payload) = built else { return };
    assert_eq!(without_messages(&payload), case.expected_json());
    assert_eq!(payload.secret_deep_link(), case.deep_link());
    assert_eq!(payload.relay.url, case.payload()["relay"]["url"]);
    assert_eq!(payload.instance_id, case.payload()["instance_id"]);
}

/// Our payload with the wording taken out, which is the one thing that is ours.
fn without_messages(payload: &OnboardingPayload) -> String {
    payload.diagnostics.iter().fold(payload.secret_json().expose_secret().to_owned(), |json, diagnostic| {
        let message = serde_json::to_string(&diagnostic.message).unwrap();
        assert!(json.contains(&message));
        json.replace(&message, "\"\"")
    })
}

fn relay_url(case: &RelayUrl) {
    let normal = relay_url_normal_form(&case.input);
    assert_eq!(normal.is_some(), case.ok);
    assert_eq!(normal.unwrap_or_default(), case.normalized);
    assert_eq!(relay_url_for_app(&case.input), case.app_url);
}
