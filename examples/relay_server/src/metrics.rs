//! What `/metrics` shows. No label carries an id.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) instance_connections: IntGauge,
    pub(crate) app_sessions: IntGauge,
    pub(crate) app_connections: IntGauge,
    pub(crate) registrations: IntCounterVec,
    pub(crate) refusals: IntCounterVec,
    pub(crate) lease_key_missing: IntCounter,
    pub(crate) identity_changes: IntCounter,
    pub(crate) slow_consumers: IntCounter,
    pub(crate) forwarded_bytes: IntCounter,
    pub(crate) push_notifications: IntCounter,
    pub(crate) revocation_failures: IntCounter,
}

impl Metrics {
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str| -> prometheus::Result<IntGauge> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let counters = |name: &str, help: &str, label: &str| -> prometheus::Result<IntCounterVec> {
            let counters = IntCounterVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        Ok(Self {
            instance_connections: gauge(
                "pulse_relay_instance_connections",
                "Registered instances that are connected.",
            )?,
            app_sessions: gauge("pulse_relay_app_sessions", "Channels between apps and instances that are open.")?,
            app_connections: gauge("pulse_relay_app_connections", "Apps that are connected.")?,
            registrations: counters("pulse_relay_registrations_total", "Registrations, by credential.", "credential")?,
            refusals: counters("pulse_relay_refusals_total", "Refusals, by wire error code.", "code")?,
            lease_key_missing: counter(
                "pulse_relay_lease_key_missing_total",
                "Leases refused because no lease key is wired.",
            )?,
            identity_changes: counter(
                "pulse_relay_identity_changes_total",
                "Instance ids that another identity took over after the hold time.",
            )?,
            slow_consumers: counter(
                "pulse_relay_slow_consumers_total",
                "Connections closed because too many bytes waited for them.",
            )?,
            forwarded_bytes: counter("pulse_relay_forwarded_bytes_total", "Payload bytes passed through channels.")?,
            push_notifications: counter(
                "pulse_relay_push_notifications_total",
                "Notifications received; this reference relay delivers none.",
            )?,
            revocation_failures: counter(
                "pulse_relay_revocation_feed_failures_total",
                "Reads of the revocation feed that failed.",
            )?,
            registry,
        })
    }

    pub(crate) fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
