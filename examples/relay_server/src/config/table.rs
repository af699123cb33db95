//! Every setting there is, with its meaning: what `--help`, the page of settings, the file and the environment go by.

use std::time::Duration;

use super::limits::{ByteRate, Limits, Rate};

/// A setting.
pub(crate) struct Setting {
    /// In the environment.
    pub(crate) variable: &'static str,
    /// What it says.
    pub(crate) meaning: &'static str,
    /// Why its default is what it is; empty where there is nothing to say.
    pub(crate) reason: &'static str,
    /// Whether SIGHUP brings a change into effect.
    pub(crate) is_reloaded: bool,
    /// The limit that it is, where it is one.
    pub(crate) limit: Option<Limit>,
}

/// Where a limit is, and how it is written.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Count(fn(&mut Limits) -> &mut usize),
    Bytes(fn(&mut Limits) -> &mut usize),
    Time(fn(&mut Limits) -> &mut Duration),
    Rate(fn(&mut Limits) -> &mut Rate),
    ByteRate(fn(&mut Limits) -> &mut Option<ByteRate>),
}

impl Setting {
    /// In the file.
    pub(crate) fn key(&self) -> String {
        self.variable.trim_start_matches("PULSE_RELAY_").to_ascii_lowercase()
    }
}

const fn plain(variable: &'static str, meaning: &'static str, reason: &'static str) -> Setting {
    Setting { variable, meaning, reason, is_reloaded: false, limit: None }
}

const fn live(setting: Setting) -> Setting {
    Setting { is_reloaded: true, ..setting }
}

const fn limit(variable: &'static str, limit: Limit, meaning: &'static str, reason: &'static str) -> Setting {
    Setting { variable, meaning, reason, is_reloaded: true, limit: Some(limit) }
}

/// The settings, those first that every relay needs.
pub(crate) const TABLE: &[Setting] = &[
    plain(
        "PULSE_RELAY_ADDR",
        "`host:port` to listen on, or `:port` for every address; port 0 takes a free one",
        "what nobody has configured is reached by nobody else",
    ),
    live(plain(
        "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY",
        "keys that hosted leases verify under, base64, separated by commas; else `PULSE_TRIAL_ACTIVATION_PUBLIC_KEY`. A key that is removed ends the sessions that it signed",
        "",
    )),
    live(plain(
        "PULSE_RELAY_PUBLIC_KEY",
        "keys that licenses and grants verify under, the same way; without one they are refused",
        "",
    )),
    plain(
        "PULSE_RELAY_DATA_DIR",
        "where the session key, the held ids and the revocations are kept",
        "what systemd's `StateDirectory=` makes",
    ),
    live(plain(
        "PULSE_RELAY_PUBLIC_HOSTS",
        "host names, separated by commas and with a port where URLs name one, under which instances reach the relay",
        "right where no proxy changes the header",
    )),
    live(plain(
        "PULSE_RELAY_TRUSTED_PROXIES",
        "addresses or networks, separated by commas, of proxies whose `X-Forwarded-For` is believed",
        "anybody can write that header",
    )),
    live(plain(
        "PULSE_RELAY_PROXY_PROTOCOL",
        "addresses or networks, separated by commas, of proxies whose connections begin with a PROXY header (version 1 or 2), before TLS too; without it they are closed",
        "a proxy that does not read HTTP cannot write another",
    )),
    plain(
        "PULSE_RELAY_TLS_CERTIFICATE",
        "the listener's certificate and those between it and a root, a file in PEM; it is read again when it changes",
        "",
    ),
    plain("PULSE_RELAY_TLS_KEY", "the certificate's private key, a file in PEM", ""),
    plain(
        "PULSE_RELAY_ADMIN_ADDR",
        "a loopback address and port where an operator lists and closes connections and sets what is logged; every user of the machine may use it",
        "what nobody uses is not open",
    ),
    plain("PULSE_RELAY_LICENSE_SERVER_URL", "where revocations are read from, `https://…`", ""),
    plain("PULSE_RELAY_REVOCATION_FEED_TOKEN", "the bearer token for it", ""),
    plain(
        "PULSE_RELAY_NATS_URL",
        "a NATS server with JetStream, `nats://…` or `tls://…`, over which several nodes know of each other's instances",
        "one node needs nothing else",
    ),
    plain(
        "PULSE_RELAY_NODE_URL",
        "where instances reach this node by itself, `wss://…/ws/instance`: another node that drains sends them here. List its host in `PULSE_RELAY_PUBLIC_HOSTS`",
        "",
    ),
    plain("PULSE_RELAY_NATS_PREFIX", "what subjects and bucket begin with, so that several relays share one NATS", ""),
    live(plain(
        "PULSE_RELAY_LOG",
        "what is logged, as `info` or `warn,pulse_relay=debug`; else `RUST_LOG`",
        "a line for each registration and its end",
    )),
    plain("PULSE_RELAY_LOG_FORMAT", "`text` or `json`, to standard error", ""),
    live(plain(
        "PULSE_RELAY_DRAIN_TIMEOUT",
        "how long a drain may take, such as `2s`",
        "a request takes less, and a rolling restart has to go on",
    )),
    limit(
        "PULSE_RELAY_HELLO_TIMEOUT",
        Limit::Time(|limits| &mut limits.hello_timeout),
        "for the HTTP request, and again until an instance is registered or an app has a channel accepted",
        "slow phones need seconds; whoever says nothing keeps a place no longer",
    ),
    limit(
        "PULSE_RELAY_SILENCE_TIMEOUT",
        Limit::Time(|limits| &mut limits.silence_timeout),
        "a connection that sends nothing for so long is closed",
        "both ends ping every 25 s, and one ping may be lost",
    ),
    limit(
        "PULSE_RELAY_WRITE_TIMEOUT",
        Limit::Time(|limits| &mut limits.write_timeout),
        "how long one frame may take to be sent before the connection is closed",
        "64 KiB at 2 KiB/s",
    ),
    limit(
        "PULSE_RELAY_STALL_TIMEOUT",
        Limit::Time(|limits| &mut limits.stall_timeout),
        "how long a frame may wait for room at its receiver before its channel is ended",
        "longer than a phone changes networks, shorter than its request waits",
    ),
    limit(
        "PULSE_RELAY_ACCEPT_TIMEOUT",
        Limit::Time(|limits| &mut limits.accept_timeout),
        "how long an instance has to accept a channel",
        "as the hello timeout, which ends with it",
    ),
    plain_limit(
        "PULSE_RELAY_IDENTITY_HOLD",
        Limit::Time(|limits| &mut limits.identity_hold),
        "how long an identity holds its instance id after its connection ended",
        "a host that restarts is back sooner; a tenant that moves with a new identity waits no longer",
    ),
    plain_limit(
        "PULSE_RELAY_REVOCATION_INTERVAL",
        Limit::Time(|limits| &mut limits.revocation_interval),
        "how often revocations are read; after three without a complete read the relay is unhealthy",
        "what a license server bears of each relay",
    ),
    limit(
        "PULSE_RELAY_CERTIFICATE_INTERVAL",
        Limit::Time(|limits| &mut limits.certificate_interval),
        "how often it is looked whether the certificate's files have changed",
        "two small files",
    ),
    plain_limit(
        "PULSE_RELAY_MAX_INSTANCES",
        Limit::Count(|limits| &mut limits.instance_connections),
        "WebSocket connections of instances",
        "above what one node's file descriptors usually allow, which limit too",
    ),
    plain_limit(
        "PULSE_RELAY_MAX_APPS",
        Limit::Count(|limits| &mut limits.app_connections),
        "WebSocket connections of apps; never more than half of the file descriptors",
        "as for instances, whose place they never take",
    ),
    plain_limit(
        "PULSE_RELAY_MAX_HTTP",
        Limit::Count(|limits| &mut limits.http_connections),
        "connections that are not WebSockets, or not yet; never more than a quarter of the file descriptors",
        "a storm of all instances at once is accepted in turns",
    ),
    limit(
        "PULSE_RELAY_CHANNELS_PER_INSTANCE",
        Limit::Count(|limits| &mut limits.channels_per_instance),
        "accepted channels of an instance, for new connections",
        "a family's and a team's phones",
    ),
    limit(
        "PULSE_RELAY_OFFERED_PER_INSTANCE",
        Limit::Count(|limits| &mut limits.offered_per_instance),
        "channels that wait for an instance's answer, for new connections",
        "an instance answers in milliseconds",
    ),
    limit(
        "PULSE_RELAY_CHANNELS_PER_APP",
        Limit::Count(|limits| &mut limits.channels_per_app),
        "accepted channels of an app's connection, for new connections",
        "a phone with several instances",
    ),
    plain_limit(
        "PULSE_RELAY_QUEUE_MEMORY",
        Limit::Bytes(|limits| &mut limits.process_queued_bytes),
        "bytes that wait to be sent or belong to unfinished messages, over all connections",
        "a thousand slow phones at once on a small machine",
    ),
    limit(
        "PULSE_RELAY_CONNECTION_QUEUE",
        Limit::Bytes(|limits| &mut limits.queued_bytes),
        "bytes of forwarded frames that wait for a connection, for new connections",
        "four channels of it at their most",
    ),
    limit(
        "PULSE_RELAY_CHANNEL_QUEUE",
        Limit::Bytes(|limits| &mut limits.channel_bytes),
        "bytes that wait in a channel, each way, for new channels",
        "20 Mbit/s over 100 ms",
    ),
    limit(
        "PULSE_RELAY_BYTES_PER_INSTANCE",
        Limit::ByteRate(|limits| &mut limits.bytes_per_instance),
        "bytes of all channels of one instance, both ways: at once, and then a second; `none` for no limit",
        "64 Mbit/s: a tenant at full speed leaves most of 1 Gbit/s to others",
    ),
    limit(
        "PULSE_RELAY_BYTES_PER_APP",
        Limit::ByteRate(|limits| &mut limits.bytes_per_app),
        "bytes of all channels of one app's connection, both ways",
        "half of its instance's",
    ),
    limit(
        "PULSE_RELAY_BYTES_PER_ADDRESS",
        Limit::ByteRate(|limits| &mut limits.bytes_per_address),
        "bytes that one address sends (IPv6: one /64)",
        "phones behind one NAT would be punished for each other: credentials are limited first",
    ),
    limit(
        "PULSE_RELAY_HANDSHAKES_PER_ADDRESS",
        Limit::Rate(|limits| &mut limits.handshakes_per_address),
        "WebSocket handshakes of one address (IPv6: one /64): at once, and then a second",
        "all phones of a large office come back at once after a restart",
    ),
    limit(
        "PULSE_RELAY_CONNECTS_PER_INSTANCE",
        Limit::Rate(|limits| &mut limits.connects_per_instance),
        "CONNECTs that reach one instance, over all addresses",
        "all its phones come back at once, and each tries a few times",
    ),
    limit(
        "PULSE_RELAY_REFUSALS_PER_ADDRESS",
        Limit::Rate(|limits| &mut limits.refusals_per_address),
        "refused registrations and CONNECTs of one address (IPv6: one /64)",
        "what succeeds costs nothing; 20 a second are no guessing",
    ),
    limit(
        "PULSE_RELAY_REFUSALS_PER_INSTANCE",
        Limit::Rate(|limits| &mut limits.refusals_per_instance),
        "CONNECTs that one instance refuses, from addresses it has accepted no phone from",
        "a guesser with many addresses",
    ),
    limit(
        "PULSE_RELAY_NEW_IDS_PER_LICENSE",
        Limit::Rate(|limits| &mut limits.new_ids_per_license),
        "new instance ids that one license registers",
        "a customer moves a few installations at once, and no more",
    ),
    limit(
        "PULSE_RELAY_LOGGED_REFUSALS",
        Limit::Rate(|limits| &mut limits.logged_refusals),
        "refusals that are logged; the rest are counted",
        "anybody can cause them",
    ),
];

const fn plain_limit(variable: &'static str, limit: Limit, meaning: &'static str, reason: &'static str) -> Setting {
    Setting { variable, meaning, reason, is_reloaded: false, limit: Some(limit) }
}
