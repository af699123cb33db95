//! The limits of licenses and grants, which may come as names or as two counts (formats.md#license).

use std::collections::BTreeMap;

use super::plan::scrub_limits;

/// The scrubbed `limits` if any remain; otherwise those of the two counts that are not zero, scrubbed in the same way.
pub(super) fn limits_with_counts(
    plan: &str,
    limits: &BTreeMap<String, i64>,
    max_guests: i64,
    max_users: i64,
) -> BTreeMap<String, i64> {
    let mut own = limits.clone();
    scrub_limits(plan, &mut own);
    if !own.is_empty() {
        return own;
    }
    let counts = [("max_guests", max_guests), ("max_users", max_users)];
    let mut counted: BTreeMap<String, i64> =
        counts.into_iter().filter(|(_, count)| *count != 0).map(|(name, count)| (name.to_owned(), count)).collect();
    scrub_limits(plan, &mut counted);
    counted
}
