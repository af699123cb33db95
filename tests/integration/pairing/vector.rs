//! `onboarding.json`, read so that the order of members in a payload is kept.
#![allow(dead_code, reason = "each test program uses its part of it")]

use serde::Deserialize;
use serde_json::value::RawValue;

use pulse_trust::pairing::{NotReady, Onboarding, OnboardingPayload};
use pulse_trust::relay::RelayConfig;

use crate::common::vectors;

#[derive(Deserialize)]
pub(crate) struct File {
    pub(crate) cases: Vec<Case>,
    pub(crate) relay_urls: Vec<RelayUrl>,
}

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) instance_url: String,
    relay_config: Box<RawValue>,
    pub(crate) instance_id: String,
    pub(crate) auth_token: String,
    pub(crate) ready: bool,
    payload: Option<Box<RawValue>>,
    diagnostic_codes: Vec<String>,
    ours_diagnostic_codes: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(crate) struct RelayUrl {
    #[serde(rename = "in")]
    pub(crate) input: String,
    pub(crate) normalized: String,
    pub(crate) ok: bool,
    pub(crate) app_url: String,
}

impl File {
    pub(crate) fn read() -> Self {
        let text = std::fs::read_to_string(vectors().join("onboarding.json")).unwrap();
        let file: Self = serde_json::from_str(&text).unwrap();
        assert!(!file.cases.is_empty() && !file.relay_urls.is_empty());
        file
    }

    pub(crate) fn ready_cases(&self) -> impl Iterator<Item = &Case> {
        assert!(self.cases.iter().any(|case| case.ready));
        self.cases.iter().filter(|case| case.ready)
    }

    /// A case that has an identity and an instance URL: a full deep link.
    pub(crate) fn full_case(&self) -> &Case {
        let is_full = |case: &&Case| {
            let payload = case.payload();
            ["identity_fingerprint", "identity_public_key"].iter().all(|name| payload["relay"][name].is_string())
                && payload["instance_url"].is_string()
                && payload["relay"]["url"].as_str().unwrap().starts_with("wss://")
        };
        self.ready_cases().find(is_full).expect("a case with every member")
    }
}

impl Case {
    pub(crate) fn config(&self) -> RelayConfig {
        RelayConfig::from_json(self.relay_config.get()).unwrap()
    }

    pub(crate) fn build(&self) -> Result<OnboardingPayload, NotReady> {
        self.build_with(&self.config())
    }

    pub(crate) fn build_with(&self, config: &RelayConfig) -> Result<OnboardingPayload, NotReady> {
        Onboarding::new(config, &self.instance_id, &self.auth_token).with_instance_url(&self.instance_url).build()
    }

    pub(crate) fn expected_codes(&self) -> &[String] {
        self.ours_diagnostic_codes.as_ref().unwrap_or(&self.diagnostic_codes)
    }

    /// The payload's text as Go writes it compactly, with empty messages, and our diagnostics where they differ.
    pub(crate) fn expected_json(&self) -> String {
        let text = compact(self.payload.as_ref().expect("a ready case has a payload").get());
        match &self.ours_diagnostic_codes {
            None => text,
            Some(codes) => {
                assert!(codes.is_empty(), "this test knows no other difference");
                let (before, _) = text.rsplit_once("\"diagnostics\":[").unwrap();
                format!("{before}\"diagnostics\":[]}}")
            }
        }
    }

    pub(crate) fn payload(&self) -> serde_json::Value {
        serde_json::from_str(self.payload.as_ref().expect("a ready case has a payload").get()).unwrap()
    }

    pub(crate) fn deep_link(&self) -> String {
        self.payload()["deep_link"].as_str().unwrap().to_owned()
    }
}

/// Drops the white space outside of texts.
fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let keep = |character: &char| {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            _ => {}
        }
        in_text || !character.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}
