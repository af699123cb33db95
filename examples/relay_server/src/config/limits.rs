//! Limits and times.

use std::time::Duration;

pub use pulse_trust::session::Rate;
use pulse_trust::session::{RelaySideLimits, RelayedEnd};

/// A number of bytes at once, and a number per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRate {
    /// How many at once.
    pub burst: u64,
    /// How many a second.
    pub per_second: u64,
}

/// Limits and times. Each is for one connection unless it says otherwise.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For the HTTP request, and again until an instance is registered or an app has a channel accepted.
    pub hello_timeout: Duration,
    /// A connection that sends nothing for this long is closed.
    pub silence_timeout: Duration,
    /// How long one frame may take to be sent before the connection is closed.
    pub write_timeout: Duration,
    /// How long a frame may wait for room at its receiver before its channel is ended.
    pub stall_timeout: Duration,
    /// How long an identity holds its instance id after its connection ended.
    pub identity_hold: Duration,
    /// Bytes of forwarded frames that may wait to be sent on a connection.
    pub queued_bytes: usize,
    /// Bytes that may wait in one channel, each way. At least one frame of the largest size fits.
    pub channel_bytes: usize,
    /// Bytes of forwarded frames that may wait in the whole process, and of messages that have not arrived whole.
    pub process_queued_bytes: usize,
    /// Accepted channels of an instance.
    pub channels_per_instance: usize,
    /// Channels of an instance that it has not answered yet.
    pub offered_per_instance: usize,
    /// Accepted channels of an app's connection.
    pub channels_per_app: usize,
    /// How long an instance has to accept a channel.
    pub accept_timeout: Duration,
    /// WebSocket connections of instances.
    pub instance_connections: usize,
    /// WebSocket connections of apps.
    pub app_connections: usize,
    /// Connections that are not WebSockets (yet).
    pub http_connections: usize,
    /// How often to check whether the certificate's files have changed.
    pub certificate_interval: Duration,
    /// How often revocations are read.
    pub revocation_interval: Duration,
    /// How old the revocations on the disk may be at startup if the feed cannot be read; zero: the relay waits for the
    /// feed.
    pub revocations_max_age: Duration,
    /// Bytes that pass through the channels of one instance, both ways; `None` for no limit.
    pub bytes_per_instance: Option<ByteRate>,
    /// Bytes that pass through the channels of one app's connection, both ways.
    pub bytes_per_app: Option<ByteRate>,
    /// Bytes that one address sends through channels.
    pub bytes_per_address: Option<ByteRate>,
    /// WebSocket handshakes of one address.
    pub handshakes_per_address: Rate,
    /// CONNECTs that reach one instance.
    pub connects_per_instance: Rate,
    /// Refused registrations and CONNECTs of one address.
    pub refusals_per_address: Rate,
    /// CONNECTs that one instance refuses, from addresses it has accepted no phone from.
    pub refusals_per_instance: Rate,
    /// New instance ids that one license registers.
    pub new_ids_per_license: Rate,
    /// Refusals that are logged.
    pub logged_refusals: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello_timeout: Duration::from_secs(15),
            silence_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(10),
            identity_hold: Duration::from_secs(600),
            queued_bytes: 1024 * 1024,
            channel_bytes: 256 * 1024,
            process_queued_bytes: 256 * 1024 * 1024,
            channels_per_instance: 64,
            offered_per_instance: 16,
            channels_per_app: 8,
            accept_timeout: Duration::from_secs(15),
            instance_connections: 100_000,
            app_connections: 100_000,
            http_connections: 8192,
            certificate_interval: Duration::from_secs(10),
            revocation_interval: Duration::from_secs(30),
            revocations_max_age: Duration::ZERO,
            bytes_per_instance: Some(ByteRate { burst: 64 * 1024 * 1024, per_second: 8 * 1024 * 1024 }),
            bytes_per_app: Some(ByteRate { burst: 32 * 1024 * 1024, per_second: 4 * 1024 * 1024 }),
            bytes_per_address: None,
            handshakes_per_address: Rate::new(5000, Duration::from_millis(5)),
            connects_per_instance: Rate::new(200, Duration::from_millis(50)),
            refusals_per_address: Rate::new(200, Duration::from_millis(50)),
            refusals_per_instance: Rate::new(50, Duration::from_millis(500)),
            new_ids_per_license: Rate::new(10, Duration::from_secs(6)),
            logged_refusals: Rate::new(50, Duration::from_millis(100)),
        }
    }
}

impl Limits {
    /// What the rules of the conversation need of them.
    pub(crate) fn of_side(&self, end: RelayedEnd) -> RelaySideLimits {
        let mut limits = RelaySideLimits::default();
        limits.hello_timeout = self.hello_timeout;
        limits.silence_timeout = self.silence_timeout;
        limits.accept_timeout = self.accept_timeout;
        (limits.channels, limits.offered_channels) = match end {
            RelayedEnd::Instance => (self.channels_per_instance, self.offered_per_instance),
            RelayedEnd::App => (self.channels_per_app, self.channels_per_app.min(2)),
        };
        limits
    }
}
