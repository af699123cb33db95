//! What one probe saw.

use std::time::Duration;

use serde::Serialize;

/// The steps of a probe, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// The tenant has a credential that it can register with.
    Credential,
    /// The instance connects and registers.
    Register,
    /// The phone connects, is accepted, and verifies the instance's identity.
    Pair,
    /// A request goes through the channel, and its own answer comes back.
    Request,
    /// A phone with a token that nobody gave out is refused.
    Refusal,
}

impl Step {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Register => "register",
            Self::Pair => "pair",
            Self::Request => "request",
            Self::Refusal => "refusal",
        }
    }
}

/// Where a probe broke.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Broken {
    pub(crate) step: Step,
    /// The wire code; `connect_failed`, `timed_out` and so on where no code was received.
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Broken {
    pub(crate) fn new(step: Step, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { step, code: code.into(), message: message.into() }
    }

    pub(crate) fn timed_out(step: Step, after: Duration) -> Self {
        Self::new(step, "timed_out", format!("no answer within {} s", after.as_secs()))
    }
}

/// One probe: an instance at one node and a phone at the same or another.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Probe {
    pub(crate) instance_node: String,
    pub(crate) phone_node: String,
    /// How long each step took that came to its end, in seconds.
    pub(crate) steps: Vec<(Step, f64)>,
    pub(crate) broken: Option<Broken>,
    /// When the credential ends, Unix seconds, where the instance registered and it has an end.
    pub(crate) credential_ends_at: Option<i64>,
}

impl Probe {
    pub(crate) fn has_passed(&self) -> bool {
        self.broken.is_none()
    }

    /// How long a step took, in milliseconds.
    pub(crate) fn milliseconds(&self, step: Step) -> Option<f64> {
        self.steps.iter().find(|(done, _)| *done == step).map(|(_, seconds)| seconds * 1e3)
    }
}
