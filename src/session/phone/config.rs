//! The configuration of a phone's end, and its limits.

use core::fmt;
use core::time::Duration;

use crate::error::Result;
use crate::keys::PublicKey;
use crate::pairing::PairingCode;
use crate::relay::NotificationPreferences;
use crate::secret::Secret;
use crate::session::{BackoffLimits, Times};

/// What a phone connects with.
///
/// See the example of [`PhoneEnd`](crate::session::PhoneEnd).
pub struct PhoneConfig {
    pub(super) relay_url: String,
    pub(super) instance_id: String,
    pub(super) auth_token: Secret,
    pub(super) identity: PublicKey,
    /// **Secret**: where notifications are sent; `None` for nowhere.
    pub device_token: Option<Secret>,
    /// `ios` or `android`; `None` if it is not to be told.
    pub platform: Option<String>,
    /// Which notifications are wanted; `None` leaves it to the relay.
    pub notification_preferences: Option<NotificationPreferences>,
    /// The waiting times.
    pub times: Times,
    /// How long it waits before the next connection.
    pub backoff: BackoffLimits,
    /// The limits.
    pub limits: PhoneLimits,
}

impl PhoneConfig {
    /// What a phone takes from a pairing code that it has checked.
    ///
    /// # Errors
    /// [`crate::Error::PairingNoIdentity`]: without an identity, nobody can tell who answers.
    pub fn from_pairing_code(code: &PairingCode) -> Result<Self> {
        let identity = code.require_identity()?.clone();
        Ok(Self::new(code.relay_url(), code.instance_id(), code.secret_auth_token(), identity))
    }

    /// The relay's URL for apps, the instance, what the instance knows the phone by, and the identity that the instance
    /// must prove.
    pub fn new(
        relay_url: impl Into<String>,
        instance_id: impl Into<String>,
        auth_token: impl Into<Secret>,
        identity: PublicKey,
    ) -> Self {
        Self {
            relay_url: relay_url.into(),
            instance_id: instance_id.into(),
            auth_token: auth_token.into(),
            identity,
            device_token: None,
            platform: None,
            notification_preferences: None,
            times: Times::default(),
            backoff: BackoffLimits::default(),
            limits: PhoneLimits::default(),
        }
    }
}

/// The URL is left out, as it may contain a password.
impl fmt::Debug for PhoneConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneConfig")
            .field("instance_id", &self.instance_id)
            .field("identity", &self.identity)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What a phone holds at the same time.
///
/// See the example of [`PhoneEnd`](crate::session::PhoneEnd).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhoneLimits {
    /// Requests that wait for their answers: 64.
    pub requests: usize,
    /// How long a request waits for its answer, or for the next piece of one: 35 s, as the deployed runtime gives a
    /// request 30 s. A stream that is silent for longer is over.
    pub answer: Duration,
    /// Bytes that wait to be sent: 1 MiB.
    pub queued_bytes: usize,
}

impl Default for PhoneLimits {
    fn default() -> Self {
        Self { requests: 64, answer: Duration::from_secs(35), queued_bytes: 1 << 20 }
    }
}
