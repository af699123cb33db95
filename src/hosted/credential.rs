//! The credential a runtime registers with (FORMATS 9): the first of its candidates that verifies now and grants
//! `relay`.

use core::fmt;

use zeroize::Zeroizing;

use super::runtime::{DEFAULT_ORG, Runtime, RuntimeMode};
use crate::entitlement::{Capability, VerifiedGrant, VerifiedLease, VerifiedLicense};
use crate::error::{Error, Result};
use crate::storage::{BillingState, LockedDataDir};
use crate::time::UnixTime;

/// Where a candidate comes from.
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

/// One candidate, and why it is not the one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Where it comes from.
    pub kind: CandidateKind,
    /// Why not; `None` for the one that is offered.
    pub refused: Option<Error>,
}

/// What a runtime offers to the relay, and what became of every candidate.
#[non_exhaustive]
pub struct CredentialChoice {
    offered: Option<(CandidateKind, Zeroizing<String>)>,
    /// The candidates that were there, in order, up to the one that is offered.
    pub candidates: Vec<Candidate>,
    /// Whether a suspended activation blocks them all.
    pub is_suspended: bool,
}

impl CredentialChoice {
    /// **Secret**: the token to offer; `None` where no candidate can be.
    pub fn secret_token(&self) -> Option<&str> {
        self.offered.as_ref().map(|(_, token)| token.as_str())
    }

    /// Which candidate is offered.
    pub fn offered(&self) -> Option<CandidateKind> {
        self.offered.as_ref().map(|(kind, _)| *kind)
    }

    /// **Secret**: the token to offer.
    ///
    /// # Errors
    /// [`Error::ActivationSuspended`]; [`Error::NoCredential`], which says of each candidate why not.
    pub fn require_secret_token(&self) -> Result<&str> {
        if self.is_suspended {
            return Err(Error::ActivationSuspended);
        }
        self.secret_token().ok_or_else(|| Error::NoCredential { reason: self.reason() })
    }

    fn reason(&self) -> String {
        let reasons: Vec<String> = self
            .candidates
            .iter()
            .filter_map(|candidate| Some(format!("{}: {}", candidate.kind.as_str(), candidate.refused.as_ref()?)))
            .collect();
        if reasons.is_empty() { "no activation, license or lease is there".to_owned() } else { reasons.join("; ") }
    }
}

impl fmt::Debug for CredentialChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialChoice")
            .field("offered", &self.offered())
            .field("candidates", &self.candidates)
            .field("is_suspended", &self.is_suspended)
            .finish_non_exhaustive()
    }
}

/// Picks the credential to register with. Files that cannot be read are candidates that are refused.
pub fn registration_credential(data_dir: &LockedDataDir, runtime: &Runtime, now: UnixTime) -> CredentialChoice {
    let billing = data_dir.billing_state(DEFAULT_ORG).map(|loaded| loaded.value);
    choose(data_dir, runtime, &billing, now)
}

/// As [`registration_credential`], with the billing state that was loaded before.
pub(super) fn choose(
    data_dir: &LockedDataDir,
    runtime: &Runtime,
    billing: &Result<Option<BillingState>>,
    now: UnixTime,
) -> CredentialChoice {
    let mut choice = CredentialChoice { offered: None, candidates: Vec::new(), is_suspended: false };
    match data_dir.activation().map(|loaded| loaded.value) {
        Ok(None) => {}
        Ok(Some(activation)) if activation.paid_access_suspended => {
            choice.is_suspended = true;
            choice.refuse(CandidateKind::ActivationGrant, Error::ActivationSuspended);
            return choice;
        }
        Ok(Some(activation)) => choice.consider(CandidateKind::ActivationGrant, &activation.grant_jwt, |token| {
            VerifiedGrant::verify(token, &runtime.keys, now)?.check_grants(&Capability::RELAY, now)
        }),
        Err(error) => choice.refuse(CandidateKind::ActivationGrant, error),
    }
    match data_dir.license().map(|loaded| loaded.value) {
        Ok(None) => {}
        Ok(Some(license)) => choice.consider(CandidateKind::License, &license.license_key, |token| {
            VerifiedLicense::verify(token, &runtime.keys, now)?.check_grants(&Capability::RELAY, now)
        }),
        Err(error) => choice.refuse(CandidateKind::License, error),
    }
    match billing {
        Ok(Some(state)) if !state.entitlement_jwt.is_empty() => {
            choice.consider(CandidateKind::HostedLease, &state.entitlement_jwt, |token| {
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

/// The lease, if it entitles this runtime to register.
pub(super) fn check_lease(token: &str, runtime: &Runtime, now: UnixTime) -> Result<VerifiedLease> {
    let lease = VerifiedLease::verify(token, &runtime.keys, &runtime.lease_checks(), now)?;
    lease.check_grants(&Capability::RELAY, now)?;
    Ok(lease)
}

impl CredentialChoice {
    fn consider(&mut self, kind: CandidateKind, token: &str, check: impl FnOnce(&str) -> Result<()>) {
        if self.offered.is_some() || token.is_empty() {
            return;
        }
        match check(token) {
            Ok(()) => {
                self.offered = Some((kind, Zeroizing::new(token.to_owned())));
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
