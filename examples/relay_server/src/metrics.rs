//! What `/metrics` shows. No label carries an id of a tenant.

use std::fmt::Write;

use prometheus::core::{AtomicU64, GenericCounter};
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

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

/// A metric, as its page names it.
struct Described {
    name: &'static str,
    kind: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
}

macro_rules! metrics {
    (
        gauges { $($gauge:ident $gauge_name:literal $gauge_help:literal;)* }
        infos { $($info:ident $info_labels:tt $info_name:literal $info_help:literal;)* }
        counters { $($counter:ident $counter_name:literal $counter_help:literal;)* }
        by_label { $($vec:ident $label:literal $values:tt $vec_name:literal $vec_help:literal;)* }
        histograms { $($histogram:ident $buckets:tt $histogram_name:literal $histogram_help:literal;)* }
    ) => {
        /// The metrics by name.
        #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "those of several nodes stay at 0"))]
        pub(crate) struct Metrics {
            registry: Registry,
            $(pub(crate) $gauge: IntGauge,)*
            $(pub(crate) $info: IntGaugeVec,)*
            $(pub(crate) $counter: Counter,)*
            $(pub(crate) $vec: IntCounterVec,)*
            $(pub(crate) $histogram: Histogram,)*
        }

        /// All of them, except those of the process.
        const DESCRIBED: &[Described] = &[
            $(Described { name: $gauge_name, kind: "gauge", labels: &[], help: $gauge_help },)*
            $(Described { name: $info_name, kind: "gauge", labels: &$info_labels, help: $info_help },)*
            $(Described { name: $counter_name, kind: "counter", labels: &[], help: $counter_help },)*
            $(Described { name: $vec_name, kind: "counter", labels: &[$label], help: $vec_help },)*
            $(Described { name: $histogram_name, kind: "histogram", labels: &[], help: $histogram_help },)*
        ];

        impl Metrics {
            pub(crate) fn new() -> prometheus::Result<Self> {
                let registry = Registry::new();
                #[cfg(target_os = "linux")]
                registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
                $(let $gauge = IntGauge::new($gauge_name, $gauge_help)?;
                  registry.register(Box::new($gauge.clone()))?;)*
                $(let $info = IntGaugeVec::new(Opts::new($info_name, $info_help), &$info_labels)?;
                  registry.register(Box::new($info.clone()))?;)*
                $(let $counter = Counter(GenericCounter::new($counter_name, $counter_help)?);
                  registry.register(Box::new($counter.0.clone()))?;)*
                $(let $vec = IntCounterVec::new(Opts::new($vec_name, $vec_help), &[$label])?;
                  // Shown from the start, because an alert on a rate needs the zero before the first event.
                  for value in $values { $vec.with_label_values(&[value]); }
                  registry.register(Box::new($vec.clone()))?;)*
                $(let options = HistogramOpts::new($histogram_name, $histogram_help).buckets($buckets.to_vec());
                  let $histogram = Histogram::with_opts(options)?;
                  registry.register(Box::new($histogram.clone()))?;)*
                let metrics = Self { registry, $($gauge,)* $($info,)* $($counter,)* $($vec,)* $($histogram,)* };
                metrics.build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
                Ok(metrics)
            }
        }
    };
}

metrics! {
    gauges {
        instance_connections "pulse_relay_instance_connections" "Registered instances that are connected.";
        app_sessions "pulse_relay_app_sessions" "Channels between apps and instances that are accepted and open.";
        app_connections "pulse_relay_app_connections" "WebSocket connections of apps.";
        connections "pulse_relay_connections" "Connections of every kind, including those that are not WebSockets yet.";
        queued_bytes "pulse_relay_queued_bytes" "Bytes that wait to be sent, or belong to messages that have not arrived whole, counted at their cost in memory.";
        queue_limit "pulse_relay_queue_limit_bytes" "The limit of these bytes.";
        cluster_configured "pulse_relay_cluster_configured" "1 if PULSE_RELAY_NATS_URL is set, otherwise 0.";
        cluster_up "pulse_relay_cluster_up" "1 while NATS is reachable, otherwise 0.";
        cluster_peers "pulse_relay_cluster_peers" "Other nodes that were heard from within the last few seconds.";
        cluster_channels "pulse_relay_cluster_channels" "Channels with other nodes, on this node's side.";
        ready "pulse_relay_ready" "1 while /readyz answers 200, otherwise 0.";
        feed_read_at "pulse_relay_revocation_feed_read_timestamp_seconds" "When the revocation feed was last read to its end, Unix time; 0 without a feed.";
        tls_not_before "pulse_relay_tls_certificate_not_before_timestamp_seconds" "When the listener's certificate becomes valid, Unix time; 0 without TLS.";
        tls_not_after "pulse_relay_tls_certificate_not_after_timestamp_seconds" "When the listener's certificate expires, Unix time; 0 without TLS.";
        revocation_feed_stale "pulse_relay_revocation_feed_stale" "1 while the revocation feed has been unreadable for too long, otherwise 0.";
    }
    infos {
        build_info ["version"] "pulse_relay_build_info" "1, with the version.";
        key_info ["kind", "key_id"] "pulse_relay_key_info" "1 for each key that credentials verify under, with its id; kind: lease or license.";
    }
    counters {
        lease_key_missing "pulse_relay_lease_key_missing_total" "Leases refused because no lease key is configured.";
        identity_changes "pulse_relay_identity_changes_total" "Instance ids that another identity took over after the hold time.";
        takeovers "pulse_relay_takeovers_total" "Connections of instances that ended because the same identity registered again.";
        ended_expired "pulse_relay_sessions_expired_total" "Connections of instances that ended because their credential expired.";
        ended_revoked "pulse_relay_sessions_revoked_total" "Connections of instances that ended because of a revocation.";
        ended_key_removed "pulse_relay_sessions_key_removed_total" "Connections of instances that ended because the key that signed their credential was removed.";
        ended_by_operator "pulse_relay_connections_closed_by_operator_total" "Connections that an operator closed over the admin address.";
        slow_channels "pulse_relay_slow_channels_total" "Channels that ended because one of their ends read too slowly.";
        slow_connections "pulse_relay_slow_connections_total" "Connections that ended because nothing could be sent on them for too long.";
        forwarded_frames "pulse_relay_forwarded_frames_total" "Frames that were queued for the other end of their channel.";
        forwarded_bytes "pulse_relay_forwarded_bytes_total" "Payload bytes of these frames.";
        unaccepted_frames "pulse_relay_unaccepted_frames_total" "DATA and KEY_EXCHANGE frames on no accepted channel, which were not forwarded.";
        push_notifications "pulse_relay_push_notifications_total" "Notifications received; this reference relay delivers none.";
        connections_refused "pulse_relay_connections_refused_total" "Connections that were answered with 503 because there were too many.";
        proxy_headers_refused "pulse_relay_proxy_headers_refused_total" "Connections of proxies that were closed because they did not begin with a readable PROXY header.";
        config_reloads "pulse_relay_config_reloads_total" "How often settings were read again and took effect.";
        config_reload_failures "pulse_relay_config_reload_failures_total" "How often settings could not be read again; the previous ones stay in effect.";
        revocation_failures "pulse_relay_revocation_feed_failures_total" "Reads of the revocation feed that failed.";
        revocation_bad_events "pulse_relay_revocation_bad_events_total" "Events of the revocation feed that could not be read, and so revoke nothing.";
        state_write_failures "pulse_relay_state_write_failures_total" "Changes that could not be written to the data directory.";
        tls_handshake_failures "pulse_relay_tls_handshake_failures_total" "TLS handshakes that failed or took too long.";
        tls_reloads "pulse_relay_tls_reloads_total" "How often a changed certificate came into use.";
        tls_reload_failures "pulse_relay_tls_reload_failures_total" "Checks of the certificate's files that found nothing usable.";
        cluster_slow_consumer "pulse_relay_cluster_slow_consumer_total" "How often NATS messages were dropped because this node did not take them in time.";
        cluster_gaps "pulse_relay_cluster_gaps_total" "Channels with other nodes that ended because one of their messages was missing.";
        cluster_stale "pulse_relay_cluster_stale_total" "Messages of other nodes that were dropped because their registration or channel was over.";
        refusals_unlogged "pulse_relay_refusals_unlogged_total" "Refusals that were not logged because there were too many.";
        log_lines_lost "pulse_relay_log_lines_lost_total" "Log lines that were dropped because nobody read them in time.";
    }
    by_label {
        registrations "credential" ["lease", "license", "grant", "session"] "pulse_relay_registrations_total" "Registrations that were granted, by credential; session: resumed.";
        rate_limited "limit" ["handshakes", "connects", "bytes", "fragments"] "pulse_relay_rate_limited_total" "Handshakes and CONNECTs that were refused, connections that were slowed down, and connections that ended because a message had too many fragments, by limit: handshakes, connects, bytes or fragments.";
        dropped_frames "reason" ["channel_closed", "stalled", "draining"] "pulse_relay_dropped_frames_total" "Frames of accepted channels that were not delivered, by reason: the channel was closed in the meantime, its receiver stalled, or this node drains.";
        refusals "code" ["AUTH_FAILED", "LICENSE_INVALID", "LICENSE_EXPIRED", "RATE_LIMITED", "DUPLICATE_INSTANCE", "INSTANCE_NOT_FOUND"] "pulse_relay_refusals_total" "Registrations and CONNECTs that were refused, by wire error code.";
    }
    histograms {
        queue_seconds [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0] "pulse_relay_queue_seconds" "How long forwarded frames waited for their connection to take them.";
    }
}

/// Those of the process, which the library collects on Linux.
const OF_PROCESS: &[(&str, &str, &str)] = &[
    ("process_cpu_seconds_total", "counter", "Processor time of the process."),
    ("process_max_fds", "gauge", "File descriptors that the process may open."),
    ("process_open_fds", "gauge", "File descriptors that are open: each connection is one."),
    ("process_resident_memory_bytes", "gauge", "Memory of the process."),
    ("process_start_time_seconds", "gauge", "When the process started, Unix time."),
    ("process_threads", "gauge", "Threads of the process."),
    ("process_virtual_memory_bytes", "gauge", "Address space of the process."),
];

const HEAD: &str = "\
# Metrics of pulse-relay

<!-- Written by the program: cargo run -p pulse-relay -- --metrics > examples/relay_server/METRICS.md -->

`GET /metrics`, in the text format of Prometheus. No label carries an id of a tenant: the [admin
address](README.md#who-is-connected) shows who is connected. Alerts on these metrics are in
[deploy/alerts.yaml](deploy/alerts.yaml), and a dashboard is in [deploy/dashboard.json](deploy/dashboard.json).

| Metric | Kind | Labels | Meaning |
|---|---|---|---|
";

/// The page of every metric, in Markdown.
pub fn metrics_page() -> String {
    let mut page = HEAD.to_owned();
    for Described { name, kind, labels, help } in DESCRIBED {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(page, "| `{name}` | {kind} | {} | {help} |", labels.join(", ")).ok();
    }
    for (name, kind, help) in OF_PROCESS {
        writeln!(page, "| `{name}` | {kind} | | {help} |").ok();
    }
    page
}

impl Metrics {
    /// The text of `/metrics`; `lost_lines` were dropped by the log itself.
    pub(crate) fn text(&self, lost_lines: u64) -> prometheus::Result<String> {
        let known = self.log_lines_lost.get();
        self.log_lines_lost.inc_by(lost_lines.saturating_sub(known));
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Shows which keys are configured, by `(kind, id)`, and no others.
    pub(crate) fn show_keys(&self, keys: impl Iterator<Item = (&'static str, String)>) {
        self.key_info.reset();
        for (kind, id) in keys {
            self.key_info.with_label_values(&[kind, &id]).set(1);
        }
    }
}

impl Default for Counter {
    fn default() -> Self {
        let options = Opts::new("unnamed", "Counts for itself.");
        #[allow(clippy::expect_used, reason = "a constant that is a valid name")]
        Self(GenericCounter::with_opts(options).expect("a valid name"))
    }
}
