//! What `/metrics` shows. No label carries an id.

use prometheus::core::{AtomicU64, GenericCounter};
use prometheus::{IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

/// A number that only grows. The default one is shown nowhere.
#[derive(Clone)]
pub(crate) struct Counter(GenericCounter<AtomicU64>);

impl Counter {
    pub(crate) fn inc(&self) {
        self.0.inc();
    }

    pub(crate) fn inc_by(&self, count: u64) {
        self.0.inc_by(count);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.get()
    }
}

macro_rules! metrics {
    (
        gauges { $($gauge:ident $gauge_name:literal $gauge_help:literal;)* }
        counters { $($counter:ident $counter_name:literal $counter_help:literal;)* }
        by_label { $($vec:ident $label:literal $vec_name:literal $vec_help:literal;)* }
    ) => {
        /// The metrics by name.
        pub(crate) struct Metrics {
            registry: Registry,
            $(pub(crate) $gauge: IntGauge,)*
            $(pub(crate) $counter: Counter,)*
            $(pub(crate) $vec: IntCounterVec,)*
        }

        impl Metrics {
            pub(crate) fn new() -> prometheus::Result<Self> {
                let registry = Registry::new();
                $(let $gauge = IntGauge::new($gauge_name, $gauge_help)?;
                  registry.register(Box::new($gauge.clone()))?;)*
                $(let $counter = Counter(GenericCounter::new($counter_name, $counter_help)?);
                  registry.register(Box::new($counter.0.clone()))?;)*
                $(let $vec = IntCounterVec::new(Opts::new($vec_name, $vec_help), &[$label])?;
                  registry.register(Box::new($vec.clone()))?;)*
                Ok(Self { registry, $($gauge,)* $($counter,)* $($vec,)* })
            }
        }
    };
}

metrics! {
    gauges {
        instance_connections "pulse_relay_instance_connections" "Registered instances that are connected.";
        app_sessions "pulse_relay_app_sessions" "Channels between apps and instances that are accepted and open.";
        app_connections "pulse_relay_app_connections" "WebSocket connections of apps.";
        queued_bytes "pulse_relay_queued_bytes" "Bytes that wait to be sent, or belong to messages that have not arrived whole, at what they cost in memory.";
        tls_not_before "pulse_relay_tls_certificate_not_before_timestamp_seconds" "From when the listener's certificate counts, Unix time; 0 without TLS.";
        tls_not_after "pulse_relay_tls_certificate_not_after_timestamp_seconds" "Until when the listener's certificate counts, Unix time; 0 without TLS.";
        revocation_feed_stale "pulse_relay_revocation_feed_stale" "1 while the revocation feed could not be read for too long, else 0.";
    }
    counters {
        lease_key_missing "pulse_relay_lease_key_missing_total" "Leases refused because no lease key is wired.";
        identity_changes "pulse_relay_identity_changes_total" "Instance ids that another identity took over after the hold time.";
        takeovers "pulse_relay_takeovers_total" "Connections of instances that ended because the same identity registered again.";
        ended_expired "pulse_relay_sessions_expired_total" "Connections of instances that ended with their credential's time.";
        ended_revoked "pulse_relay_sessions_revoked_total" "Connections of instances that ended because of a revocation.";
        slow_channels "pulse_relay_slow_channels_total" "Channels that ended because one of their ends read too slowly.";
        slow_connections "pulse_relay_slow_connections_total" "Connections that ended because nothing could be sent on them for too long.";
        forwarded_frames "pulse_relay_forwarded_frames_total" "Frames that were queued for the other end of their channel.";
        forwarded_bytes "pulse_relay_forwarded_bytes_total" "Payload bytes of these frames.";
        unaccepted_frames "pulse_relay_unaccepted_frames_total" "DATA and KEY_EXCHANGE frames on no accepted channel, which were not forwarded.";
        push_notifications "pulse_relay_push_notifications_total" "Notifications received; this reference relay delivers none.";
        connections_refused "pulse_relay_connections_refused_total" "Connections that were answered with 503 because there are too many.";
        ended_key_removed "pulse_relay_sessions_key_removed_total" "Connections of instances that ended because the key that signed their credential was removed.";
        config_reloads "pulse_relay_config_reloads_total" "Times that settings were read again and came into effect.";
        config_reload_failures "pulse_relay_config_reload_failures_total" "Times that settings could not be read again; those before stay in effect.";
        revocation_failures "pulse_relay_revocation_feed_failures_total" "Reads of the revocation feed that failed.";
        revocation_bad_events "pulse_relay_revocation_bad_events_total" "Events of the revocation feed that could not be read, and revoke nothing.";
        state_write_failures "pulse_relay_state_write_failures_total" "Changes that could not be written to the data directory.";
        tls_handshake_failures "pulse_relay_tls_handshake_failures_total" "TLS handshakes that failed or took too long.";
        tls_reloads "pulse_relay_tls_reloads_total" "Times that a changed certificate came into use.";
        tls_reload_failures "pulse_relay_tls_reload_failures_total" "Looks at the certificate's files that found none that can be used.";
        refusals_unlogged "pulse_relay_refusals_unlogged_total" "Refusals that were not logged because there were too many.";
        log_lines_lost "pulse_relay_log_lines_lost_total" "Log lines that were dropped because nobody read them in time.";
    }
    by_label {
        registrations "credential" "pulse_relay_registrations_total" "Registrations that were granted, by credential; session: resumed.";
        rate_limited "limit" "pulse_relay_rate_limited_total" "Handshakes and CONNECTs that were refused, and connections that were slowed down, by the limit: handshakes, connects or bytes.";
        refusals "code" "pulse_relay_refusals_total" "Registrations and CONNECTs that were refused, by wire error code.";
    }
}

impl Metrics {
    /// The text of `/metrics`; `lost_lines` were dropped by the log itself.
    pub(crate) fn text(&self, lost_lines: u64) -> prometheus::Result<String> {
        let known = self.log_lines_lost.get();
        self.log_lines_lost.inc_by(lost_lines.saturating_sub(known));
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl Default for Counter {
    fn default() -> Self {
        let options = Opts::new("unnamed", "Counts for itself.");
        #[allow(clippy::expect_used, reason = "a constant that is a valid name")]
        Self(GenericCounter::with_opts(options).expect("a valid name"))
    }
}
