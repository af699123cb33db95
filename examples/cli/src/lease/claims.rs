//! Claims as people read them: a row for each.

use pulse_trust::UnixTime;
use serde_json::Value;

use crate::moment::moment;
use crate::shown::shown;
use crate::style::{NAME, styled};

/// The claims that hold Unix seconds.
const TIMES: &[&str] = &[
    "exp",
    "nbf",
    "iat",
    "trial_started_at",
    "trial_ends_at",
    "current_period_end",
    "grace_until",
    "license_period_end",
];

/// A row for each claim, in the token's own order.
pub(super) fn rows(claims: &Value, now: UnixTime) -> String {
    claims.as_object().into_iter().flatten().map(|(name, value)| row(name, &value_text(name, value, now))).collect()
}

/// A line end, a name and a value, both of a stranger.
pub(super) fn row(name: &str, value: &str) -> String {
    format!("\n{} {}", styled(NAME, &format!("{:<20}", shown(name))), shown(value))
}

/// Times with how far away they are, anything else as it stands, as JSON.
fn value_text(name: &str, value: &Value, now: UnixTime) -> String {
    match value.as_i64().filter(|_| TIMES.contains(&name)) {
        Some(seconds) => format!("{value}  {}", moment(UnixTime::from_secs(seconds), now)),
        None => value.to_string(),
    }
}
