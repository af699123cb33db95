//! The credential a runtime registers with: the first of its candidates that verifies now and grants `relay` ([formats:
//! hosted bootstrap](crate::_documentation::formats#hosted-bootstrap)).

use core::fmt;

use super::runtime::{DEFAULT_ORG, Runtime, RuntimeMode};
use crate::entitlement::{Capability, VerifiedGrant, VerifiedLease, VerifiedLicense};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::storage::{ACTIVATION_FILE, Activation, BillingState, DataDirReader, Loaded};
use crate::time::UnixTime;
use crate::warning::Warning;

/// Where a candidate comes from.
///
/// See the example of [`bootstrap`](super::bootstrap).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CandidateKind {
    /// The grant in `activation.enc`.
    ActivationGrant,
    /// The license in `license.enc`.
    License,
    /// The lease in `billing.json`.
    HostedLease,
}

impl CandidateKind {
    /// What it is, in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ActivationGrant => "activation grant",
            Self::License => "license",
            Self::HostedLease => "hosted lease",
        }
    }
}

/// One candidate, and why it was refused.
///
/// See the example of [`bootstrap`](super::bootstrap).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Where it comes from.
    pub kind: CandidateKind,
    /// Why it was refused; `None` for the one that is offered.
    pub refused: Option<Error>,
}

/// What a runtime offers to the relay, and the outcome for every candidate.
///
/// See the example of [`bootstrap`](super::bootstrap).
#[non_exhaustive]
pub struct CredentialChoice {
    offered: Option<(CandidateKind, Secret)>,
    /// The candidates that exist, in order, up to the one that is offered.
    pub candidates: Vec<Candidate>,
    /// Why the activation blocks every credential and the bootstrap: it is suspended
    /// ([`Error::ActivationSuspended`]), or it cannot be read and may be suspended ([`Error::ActivationUnreadable`]).
    pub blocked: Option<Error>,
    /// What the caller should be told about.
    pub warnings: Vec<Warning>,
}

impl CredentialChoice {
    /// **Secret**: the token to offer; `None` if no candidate can be offered.
    pub fn secret_token(&self) -> Option<&str> {
        self.offered.as_ref().map(|(_, token)| token.expose_secret())
    }

    /// Whether a suspended activation blocks every credential.
    pub fn is_suspended(&self) -> bool {
        self.blocked == Some(Error::ActivationSuspended)
    }

    /// Which candidate is offered.
    pub fn offered(&self) -> Option<CandidateKind> {
        self.offered.as_ref().map(|(kind, _)| *kind)
    }

    /// **Secret**: the token to offer.
    ///
    /// # Errors
    /// [`Error::ActivationSuspended`], [`Error::ActivationUnreadable`]; [`Error::NoCredential`], which says why for
    /// each candidate.
    pub fn require_secret_token(&self) -> Result<&str> {
        if let Some(blocked) = &self.blocked {
            return Err(blocked.clone());
        }
        self.secret_token().ok_or_else(|| Error::NoCredential { reason: self.reason() })
    }

    fn reason(&self) -> String {
        let reasons: Vec<String> = self
            .candidates
            .iter()
            .filter_map(|candidate| Some(format!("{}: {}", candidate.kind.as_str(), candidate.refused.as_ref()?)))
            .collect();
        if reasons.is_empty() { "there is no activation, license or lease".to_owned() } else { reasons.join("; ") }
    }
}

impl fmt::Debug for CredentialChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialChoice")
            .field("offered", &self.offered())
            .field("candidates", &self.candidates)
            .field("blocked", &self.blocked)
            .finish_non_exhaustive()
    }
}

/// Picks the credential to register with, and changes nothing in the directory. A license or a billing state that cannot
/// be read is a candidate that is refused; an activation that cannot be read blocks every credential.
pub fn registration_credential(data_dir: &DataDirReader, runtime: &Runtime, now: UnixTime) -> CredentialChoice {
    let mut warnings = Vec::new();
    let billing = value_with_warnings(data_dir.billing_state(DEFAULT_ORG), &mut warnings);
    let mut choice = choose(data_dir, runtime, &billing, now);
    Warning::add_new(&mut warnings, choice.warnings);
    choice.warnings = warnings;
    choice
}

/// As [`registration_credential`], with the billing state that was loaded before.
pub(super) fn choose(
    data_dir: &DataDirReader,
    runtime: &Runtime,
    billing: &Result<Option<BillingState>>,
    now: UnixTime,
) -> CredentialChoice {
    let mut choice = CredentialChoice { offered: None, candidates: Vec::new(), blocked: None, warnings: Vec::new() };
    match usable_activation(data_dir, &mut choice.warnings) {
        Ok(None) => {}
        Ok(Some(activation)) => {
            choice.consider(CandidateKind::ActivationGrant, activation.grant_jwt.expose_secret(), |token| {
                VerifiedGrant::verify(token, &runtime.keys, now)?.check_grants(&Capability::RELAY, now)
            })
        }
        Err(error) => {
            choice.refuse(CandidateKind::ActivationGrant, error.clone());
            choice.blocked = Some(error);
            return choice;
        }
    }
    match value_with_warnings(data_dir.license(), &mut choice.warnings) {
        Ok(None) => {}
        Ok(Some(license)) => choice.consider(CandidateKind::License, license.license_key.expose_secret(), |token| {
            VerifiedLicense::verify(token, &runtime.keys, now)?.check_grants(&Capability::RELAY, now)
        }),
        Err(error) => choice.refuse(CandidateKind::License, error),
    }
    match billing {
        Ok(Some(BillingState { entitlement_jwt: Some(token), .. })) => {
            choice.consider(CandidateKind::HostedLease, token.expose_secret(), |token| {
                if runtime.mode != RuntimeMode::Hosted {
                    return Err(Error::NotHosted);
                }
                check_lease(token, runtime, now).map(|_| ())
            });
        }
        Ok(_) => {}
        Err(error) => choice.refuse(CandidateKind::HostedLease, error.clone()),
    }
    choice
}

/// The activation, if it is not suspended. One that exists but cannot be read may be suspended.
fn usable_activation(data_dir: &DataDirReader, warnings: &mut Vec<Warning>) -> Result<Option<Activation>> {
    match value_with_warnings(data_dir.activation(), warnings) {
        Ok(Some(activation)) if activation.paid_access_suspended => Err(Error::ActivationSuspended),
        Ok(activation) => Ok(activation),
        Err(error) => {
            let path = data_dir.path().join(ACTIVATION_FILE).display().to_string();
            Err(Error::ActivationUnreadable { path, reason: error.to_string() })
        }
    }
}

/// What was loaded. Its warnings are added to the others, each once.
pub(super) fn value_with_warnings<T>(loaded: Result<Loaded<T>>, warnings: &mut Vec<Warning>) -> Result<T> {
    loaded.map(|loaded| {
        Warning::add_new(warnings, loaded.warnings);
        loaded.value
    })
}

/// The lease, if it entitles this runtime to register.
pub(super) fn check_lease(token: &str, runtime: &Runtime, now: UnixTime) -> Result<VerifiedLease> {
    let lease = VerifiedLease::verify(token, &runtime.keys, &runtime.lease_checks(), now)?;
    lease.check_grants(&Capability::RELAY, now)?;
    Ok(lease)
}

impl CredentialChoice {
    /// Offers a token if it is the first one that passes.
    fn consider(&mut self, kind: CandidateKind, token: &str, check: impl FnOnce(&str) -> Result<()>) {
        if self.offered.is_some() || token.is_empty() {
            return;
        }
        match check(token) {
            Ok(()) => {
                self.offered = Some((kind, Secret::from(token)));
                self.candidates.push(Candidate { kind, refused: None });
            }
            Err(error) => self.refuse(kind, error),
        }
    }

    fn refuse(&mut self, kind: CandidateKind, error: Error) {
        if self.offered.is_none() {
            self.candidates.push(Candidate { kind, refused: Some(error) });
        }
    }
}
