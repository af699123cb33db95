//! The configuration of an instance's end, and its limits.

use core::fmt;

use crate::relay::Identity;
use crate::secret::Secret;
use crate::session::{BackoffLimits, LeaseRefresh, Times};

/// What an instance registers with.
///
/// See the example of [`session`](crate::session).
pub struct InstanceConfig {
    pub(super) server_url: String,
    pub(super) credential: Secret,
    pub(super) instance_secret: Secret,
    pub(super) identity: Identity,
    /// The version of the runtime, which is sent to the relay; `None` if it is not to be told.
    pub client_version: Option<String>,
    /// The waiting times.
    pub times: Times,
    /// How long it waits before the next connection.
    pub backoff: BackoffLimits,
    /// The limits.
    pub limits: InstanceLimits,
    /// How it refreshes its lease; `None` if the credential is not a hosted lease.
    pub refresh: Option<LeaseRefresh>,
}

impl InstanceConfig {
    /// What every instance needs: the relay's URL for instances; the credential, which is a lease, license or grant;
    /// the instance secret of its relay config; and its identity.
    pub fn new(
        server_url: impl Into<String>,
        credential: impl Into<Secret>,
        instance_secret: impl Into<Secret>,
        identity: Identity,
    ) -> Self {
        Self {
            server_url: server_url.into(),
            credential: credential.into(),
            instance_secret: instance_secret.into(),
            identity,
            client_version: None,
            times: Times::default(),
            backoff: BackoffLimits::default(),
            limits: InstanceLimits::default(),
            refresh: None,
        }
    }
}

/// The URL is left out, as it may contain a password.
impl fmt::Debug for InstanceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceConfig")
            .field("identity", &self.identity)
            .field("client_version", &self.client_version)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// How much phones and the relay can make an instance hold. A phone that exceeds a limit loses its channel; the
/// connection stays.
///
/// See the example of [`session`](crate::session).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceLimits {
    /// Channels at the same time: 64, as many as the relay gives an instance.
    pub channels: usize,
    /// Of these, channels that have neither exchanged keys nor asked anything: 16.
    pub half_open_channels: usize,
    /// Requests of all channels that wait for their answers: 64, as in the deployed runtime. Those beyond are answered
    /// with status 503.
    pub requests: usize,
    /// Bytes that wait to be sent: 4 MiB.
    pub queued_bytes: usize,
    /// Of these, bytes of one channel: 1 MiB.
    pub queued_bytes_of_channel: usize,
}

impl Default for InstanceLimits {
    fn default() -> Self {
        Self {
            channels: 64,
            half_open_channels: 16,
            requests: 64,
            queued_bytes: 4 << 20,
            queued_bytes_of_channel: 1 << 20,
        }
    }
}
