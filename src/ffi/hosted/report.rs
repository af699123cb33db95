//! The outputs of the functions of a hosted runtime, as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::entitlement::Capability;
use crate::ffi::json::ErrorText;
use crate::hosted::CredentialChoice;
use crate::relay::RelayConfig;

#[derive(Serialize)]
pub(super) struct BootstrapReport<'a> {
    pub(super) outcome: &'static str,
    pub(super) reason: Option<ErrorText>,
    #[serde(serialize_with = "crate::json::form::serialize")]
    pub(super) config: &'a RelayConfig,
    pub(super) credential: Credential<'a>,
    pub(super) warnings: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Credential<'a> {
    pub(super) token: Option<&'a str>,
    pub(super) offered: Option<&'static str>,
    pub(super) suspended: bool,
    pub(super) blocked: Option<ErrorText>,
    pub(super) candidates: Vec<CandidateReport>,
}

#[derive(Serialize)]
pub(super) struct CandidateReport {
    pub(super) kind: &'static str,
    pub(super) refused: Option<ErrorText>,
}

impl<'a> From<&'a CredentialChoice> for Credential<'a> {
    fn from(choice: &'a CredentialChoice) -> Self {
        let candidates = choice.candidates.iter().map(|candidate| CandidateReport {
            kind: candidate.kind.as_str(),
            refused: candidate.refused.as_ref().map(ErrorText::from),
        });
        Self {
            token: choice.secret_token(),
            offered: choice.offered().map(|kind| kind.as_str()),
            suspended: choice.is_suspended(),
            blocked: choice.blocked.as_ref().map(ErrorText::from),
            candidates: candidates.collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ReadinessReport<'a> {
    pub(super) ready: bool,
    pub(super) links: Vec<LinkReport<'a>>,
    pub(super) warnings: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct LinkReport<'a> {
    pub(super) name: &'static str,
    pub(super) state: &'static str,
    pub(super) seen: &'a str,
    pub(super) error: Option<ErrorText>,
}

#[derive(Serialize)]
pub(super) struct Resolved<'a> {
    #[serde(serialize_with = "crate::json::form::serialize")]
    pub(super) capabilities: &'a [Capability],
    /// Those that count now, and the free set.
    #[serde(serialize_with = "crate::json::form::serialize")]
    pub(super) granted: Vec<Capability>,
    pub(super) limits: &'a BTreeMap<String, i64>,
    pub(super) meters_enabled: &'a [String],
    pub(super) plan_version: &'a str,
    pub(super) subscription_state: &'a str,
    pub(super) trial_started_at: Option<i64>,
    pub(super) trial_ends_at: Option<i64>,
    pub(super) lease_error: Option<ErrorText>,
}
