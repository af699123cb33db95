//! The settings of either end, as JSON.

use core::time::Duration;

use serde::Deserialize;

use crate::relay::NotificationPreferences;
use crate::secret::Secret;
use crate::session::{BackoffLimits, Times};

/// How an instance is configured.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstanceSettings {
    pub(super) server_url: String,
    #[serde(deserialize_with = "crate::secret::text::deserialize")]
    pub(super) credential: Secret,
    #[serde(deserialize_with = "crate::secret::text::deserialize")]
    pub(super) instance_secret: Secret,
    #[serde(default)]
    pub(super) client_version: String,
    #[serde(default)]
    pub(super) backoff_initial_ms: Option<u64>,
    #[serde(default)]
    pub(super) backoff_max_ms: Option<u64>,
    #[serde(default)]
    pub(super) times_ms: TimesSettings,
    #[serde(default)]
    pub(super) refresh: Option<RefreshSettings>,
    /// Spreads waiting times; from a random generator.
    #[serde(default)]
    pub(super) seed: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshSettings {
    pub(super) org_id: String,
    pub(super) instance_host: String,
    #[serde(deserialize_with = "crate::secret::text::deserialize")]
    pub(super) refresh_token: Secret,
    #[serde(default)]
    pub(super) expires_at: Option<i64>,
}

/// How a phone is configured, beyond its pairing code.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PhoneSettings {
    #[serde(deserialize_with = "crate::secret::text::deserialize")]
    pub(super) device_token: Secret,
    pub(super) platform: String,
    #[serde(with = "crate::json::form")]
    pub(super) notification_preferences: Option<NotificationPreferences>,
    pub(super) backoff_initial_ms: Option<u64>,
    pub(super) backoff_max_ms: Option<u64>,
    pub(super) answer_ms: Option<u64>,
    pub(super) times_ms: TimesSettings,
    pub(super) seed: u32,
}

/// The waiting times of an end; those that are left out are the deployed ones.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TimesSettings {
    pub(super) connect: Option<u64>,
    pub(super) answer: Option<u64>,
    pub(super) ping: Option<u64>,
    pub(super) silence: Option<u64>,
    pub(super) drain: Option<u64>,
    pub(super) refused: Option<u64>,
}

impl TimesSettings {
    pub(super) fn apply(&self, times: &mut Times) {
        for (setting, time) in [
            (self.connect, &mut times.connect),
            (self.answer, &mut times.answer),
            (self.ping, &mut times.ping),
            (self.silence, &mut times.silence),
            (self.drain, &mut times.drain),
            (self.refused, &mut times.refused),
        ] {
            if let Some(milliseconds) = setting {
                *time = Duration::from_millis(milliseconds);
            }
        }
    }
}

pub(super) fn set_backoff(limits: &mut BackoffLimits, initial_ms: Option<u64>, max_ms: Option<u64>) {
    if let Some(milliseconds) = initial_ms {
        limits.initial = Duration::from_millis(milliseconds);
    }
    if let Some(milliseconds) = max_ms {
        limits.max = Duration::from_millis(milliseconds);
    }
}
