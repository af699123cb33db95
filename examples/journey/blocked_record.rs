//! The record that a successful one replaces: its blocking facts and its unblock steps in its own words, each with what
//! is evidence against it.

use pulse_trust::hosted::CandidateKind;

use crate::record::{PhoneRan, Record};

pub(crate) const NAME: &str = "cloud-hosted-tier-runtime-readiness-blocked-2026-03-25.md";

/// One blocking fact, and what was seen now.
pub(crate) struct Fact {
    pub(crate) text: &'static str,
    pub(crate) verdict: Verdict,
    /// The links of the exercised flow that show it.
    pub(crate) evidence: &'static [&'static str],
}

/// What a run says of a fact about the live system.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds no more on a system that is not this program's own.
    Cleared,
    /// It holds no more in this exercise; the live system was not part of it.
    ClearedHere,
    /// The run did not come so far, or did not look.
    NotExercised,
    /// It was seen to hold still.
    StillBlocks,
}

impl Verdict {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Cleared => {
                "does not hold on the system named under Environment; that it is the live one, whoever signs confirms"
            }
            Self::ClearedHere => "does not hold in this exercise; the live system was not part of it",
            Self::NotExercised => "not exercised",
            Self::StillBlocks => "still blocks",
        }
    }
}

/// One unblock step or a part of one.
pub(crate) struct UnblockStep {
    pub(crate) text: &'static str,
    pub(crate) done: bool,
    pub(crate) why: String,
    pub(crate) parts: Vec<UnblockStep>,
}

const BOOTSTRAP: &str = "runtime: bootstrap";
const DIRECTORY: &str = "runtime: directory";
const CREDENTIAL: &str = "runtime: credential";
const KEYS: &str = "relay: keys";
const REGISTRATION: &str = "relay: registration";
const METRIC: &str = "relay: metric";
const CODE: &str = "runtime: pairing code";
const PHONE: &str = "phone: request through the channel";

impl Record {
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let exercised = &self.exercised;
        let offers_lease = self.offered == Some(CandidateKind::HostedLease);
        let relay_live = exercised.relay_is_elsewhere;
        let both_live = self.tier() == "real-external-e2e";
        let fact = |text, is_live, is_exercised: bool, evidence: &'static [&'static str]| {
            let verdict = match () {
                () if evidence.iter().any(|link| self.step(link).is_some_and(|step| !step.passed)) => {
                    Verdict::StillBlocks
                }
                () if !is_exercised || !evidence.iter().all(|link| self.has_passed(link)) => Verdict::NotExercised,
                () if is_live => Verdict::Cleared,
                () => Verdict::ClearedHere,
            };
            Fact { text, verdict, evidence }
        };
        vec![
            fact(
                "The live hosted Pulse Cloud control plane is still provisioning tenant runtimes without a machine-owned \
                 relay registration path.",
                both_live,
                offers_lease && self.was_fresh,
                &[BOOTSTRAP, REGISTRATION],
            ),
            fact(
                "Live hosted tenant containers are healthy on pulse-cloud, but sampled tenant runtimes still lack persisted \
                 relay state: /etc/pulse/billing.json present, /etc/pulse/relay.enc absent, /etc/pulse/activation.enc absent",
                both_live,
                true,
                &[DIRECTORY],
            ),
            fact(
                "The live relay service is currently reporting zero connected Pulse instances: \
                 pulse_relay_instance_connections 0, pulse_relay_app_sessions 0",
                relay_live,
                self.metrics_registered.is_some()
                    && self.metrics_paired.is_some_and(|metrics| metrics.app_sessions > 0),
                &[METRIC, PHONE],
            ),
            fact(
                "The live relay host currently confirms only PULSE_RELAY_PUBLIC_KEY in the running environment for the \
                 checked relay validation surface; the hosted entitlement key path required for hosted lease validation is \
                 not yet wired on the live relay service.",
                relay_live,
                offers_lease,
                &[KEYS, REGISTRATION],
            ),
            fact(
                "The current hosted runtime code line only auto-starts relay when persisted relay config already exists and \
                 only hands the relay client a classic activated-license token. Hosted entitlement leases do not currently \
                 cross that boundary in production.",
                both_live,
                offers_lease && self.was_fresh,
                &[BOOTSTRAP, CREDENTIAL],
            ),
            fact(
                "The canonical fix now exists in repo but is not yet the live hosted/runtime behavior: pulse: hosted \
                 entitlement-backed relay bootstrap and hosted relay registration-token fallback; pulse-pro/relay-server: \
                 hosted entitlement lease validation and hosted instance-id derivation from instance_host",
                both_live,
                offers_lease,
                &[BOOTSTRAP, CREDENTIAL, REGISTRATION],
            ),
            fact(
                "The current owned relay journey proof only exercises manual relay enablement and does not prove that a \
                 fresh hosted tenant automatically becomes mobile-visible through relay after provisioning.",
                both_live,
                self.was_fresh,
                &[BOOTSTRAP, REGISTRATION, CODE, PHONE],
            ),
        ]
    }

    /// A step is done only where this run saw it on the live system.
    pub(crate) fn unblock_steps(&self) -> Vec<UnblockStep> {
        let exercised = &self.exercised;
        let offers_lease = self.offered == Some(CandidateKind::HostedLease);
        let has_phone = exercised.phone == Some(PhoneRan::Outside) && self.has_passed(PHONE);
        let by_live_relay = exercised.relay_is_elsewhere && offers_lease && self.has_passed(REGISTRATION);
        let relay = if exercised.relay_is_elsewhere {
            "the relay at that address"
        } else {
            "a relay on this machine, not the live one,"
        };
        let step = |text, done, why: String, parts| UnblockStep { text, done, why, parts };
        let leaf = |text, done, why: &str| step(text, done, why.to_owned(), Vec::new());
        let provisioned = exercised.tenant_is_given && self.was_fresh;
        let proof = vec![
            leaf(
                "provision hosted tenant",
                provisioned,
                if provisioned {
                    "the directory was given, and had no relay.enc"
                } else {
                    "the directory was not a fresh one of the live control plane"
                },
            ),
            leaf(
                "confirm relay connects without manual /api/settings/relay mutation",
                by_live_relay && self.was_fresh,
                "see runtime: bootstrap and relay: registration",
            ),
            leaf(
                "confirm onboarding QR/deep-link exposes a real relay instance_id",
                by_live_relay && self.has_passed(CODE),
                "see runtime: pairing code",
            ),
            leaf(
                "confirm Pulse Mobile can pair against that hosted tenant",
                false,
                if has_phone {
                    "a phone outside of this program paired; that it was Pulse Mobile, whoever held it has to confirm"
                } else {
                    "the phone was this program"
                },
            ),
        ];
        let is_external = self.tier() == "real-external-e2e" && self.result() == "passed";
        vec![
            leaf(
                "Deploy the hosted runtime fix that auto-bootstraps relay from hosted entitlement state and uses the hosted \
                 entitlement lease as the relay registration credential when no activated license exists.",
                false,
                "the runtime was this program; what is deployed was not looked at",
            ),
            step(
                "Deploy the relay-server fix that validates hosted entitlement leases and derives stable hosted instance ids \
                 from instance_host.",
                by_live_relay,
                format!(
                    "{relay} {}",
                    if self.has_passed(REGISTRATION) {
                        "accepted the credential and derived the expected id"
                    } else {
                        "did not register this tenant"
                    }
                ),
                Vec::new(),
            ),
            step(
                "Wire the hosted entitlement public key into the live relay environment.",
                by_live_relay,
                match &exercised.relay_lease_keys {
                    Some(keys) => format!("{relay} names its lease keys: [{}]", keys.join(", ")),
                    None => format!("{relay} does not name its keys"),
                },
                Vec::new(),
            ),
            step(
                "Re-run the real hosted proof from a fresh production canary:",
                proof.iter().all(|part| part.done),
                "done when each of its parts is".to_owned(),
                proof,
            ),
            leaf(
                "Replace this blocked record with fresh real-external-e2e evidence only after that end-to-end hosted-mobile \
                 path is exercised successfully.",
                is_external,
                if is_external {
                    "this record is of that tier, and passed"
                } else {
                    "this record is not of that tier, or did not pass"
                },
            ),
        ]
    }
}
