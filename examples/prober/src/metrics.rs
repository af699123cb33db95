//! What `/metrics` of the prober shows.

use prometheus::{GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use pulse_trust::UnixTime;

use crate::failure::Failure;
use crate::probe::Probe;

const PAIR: [&str; 2] = ["instance_node", "phone_node"];

/// The metrics by name. Their labels are names of nodes, steps and codes: as many as there are of those.
pub(crate) struct Metrics {
    registry: Registry,
    success: IntGaugeVec,
    step_seconds: GaugeVec,
    probes: IntCounterVec,
    failures: IntCounterVec,
    last_round: IntGauge,
    credential_end: IntGauge,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, Failure> {
        Self::try_new().map_err(Failure::from_error)
    }

    fn try_new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let success =
            IntGaugeVec::new(Opts::new("pulse_prober_success", "1 where the last probe passed, else 0."), &PAIR)?;
        let step_seconds = GaugeVec::new(
            Opts::new("pulse_prober_step_seconds", "How long each step of the last probe took that came to its end."),
            &[PAIR[0], PAIR[1], "step"],
        )?;
        let probes = IntCounterVec::new(
            Opts::new("pulse_prober_probes_total", "Probes, by result: passed or broken."),
            &[PAIR[0], PAIR[1], "result"],
        )?;
        let failures = IntCounterVec::new(
            Opts::new(
                "pulse_prober_failures_total",
                "Probes that broke, by the step at which, and by the code that was seen.",
            ),
            &[PAIR[0], PAIR[1], "step", "code"],
        )?;
        let last_round =
            IntGauge::new("pulse_prober_last_round_timestamp_seconds", "When the last round ended, Unix time.")?;
        let credential_end = IntGauge::new(
            "pulse_prober_credential_end_timestamp_seconds",
            "When the synthetic tenant's credential ends, Unix time; 0 before the first registration.",
        )?;
        registry.register(Box::new(credential_end.clone()))?;
        registry.register(Box::new(success.clone()))?;
        registry.register(Box::new(step_seconds.clone()))?;
        registry.register(Box::new(probes.clone()))?;
        registry.register(Box::new(failures.clone()))?;
        registry.register(Box::new(last_round.clone()))?;
        Ok(Self { registry, success, step_seconds, probes, failures, last_round, credential_end })
    }

    pub(crate) fn add(&self, round: &[Probe], now: UnixTime) {
        self.step_seconds.reset();
        for probe in round {
            let pair = [probe.instance_node.as_str(), probe.phone_node.as_str()];
            self.success.with_label_values(&pair).set(i64::from(probe.has_passed()));
            for (step, seconds) in &probe.steps {
                self.step_seconds.with_label_values(&[pair[0], pair[1], step.as_str()]).set(*seconds);
            }
            if let Some(end) = probe.credential_ends_at {
                self.credential_end.set(end);
            }
            let result = if probe.has_passed() { "passed" } else { "broken" };
            self.probes.with_label_values(&[pair[0], pair[1], result]).inc();
            if let Some(broken) = &probe.broken {
                self.failures.with_label_values(&[pair[0], pair[1], broken.step.as_str(), code(&broken.code)]).inc();
            }
        }
        self.last_round.set(now.as_secs());
    }

    pub(crate) fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// A code as a label: what a relay makes up is none of the codes there are.
fn code(received: &str) -> &str {
    let is_code =
        received.len() <= 40 && received.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if is_code { received } else { "other" }
}
