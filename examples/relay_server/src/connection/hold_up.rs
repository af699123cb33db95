//! One connection carries all channels of an instance, so a full one holds up the others. This decides for how long it
//! may.

use std::collections::BTreeSet;
use std::time::Duration;

use pulse_trust::session::RelayedEnd;
use tokio::time::Instant;

use crate::blocked::Blocked;
use crate::link::Link;

/// The part of the stall timeout after which a receiver that takes nothing loses its channel, if there are others: 3.3 s. The kernel says that
/// it has taken something only when a third of the send buffer has become free.
const STILL_PART: u32 = 3;
/// The part that each further channel has, once those before it have used up the whole: 1 s.
const FURTHER_PART: u32 = 10;

/// How long channels have held up others since the last answer got through to a phone that waited for it.
#[derive(Debug, Default)]
pub(super) struct HoldUp {
    total: Duration,
    channels: BTreeSet<u32>,
}

impl HoldUp {
    /// A channel had no room for this long.
    pub(super) fn held(&mut self, channel: u32, time: Duration) {
        self.total = self.total.saturating_add(time);
        self.channels.insert(channel);
    }

    /// A frame went to a phone that waited for it, and without delay.
    pub(super) fn answered(&mut self, channel: u32) {
        if !self.total.is_zero() && !self.channels.contains(&channel) {
            *self = Self::default();
        }
    }

    /// The channel was ended for it.
    pub(super) fn ended(&mut self, channel: u32, stall_timeout: Duration) {
        self.channels.remove(&channel);
        let further = stall_timeout.checked_div(FURTHER_PART).unwrap_or_default();
        self.total = self.total.min(stall_timeout.saturating_sub(further));
    }

    /// When a channel that has no room must end, as far as is known now.
    pub(super) fn end_of(&self, sender: &Link, blocked: &Blocked, stall_timeout: Duration) -> Option<Instant> {
        let by_frame = blocked.since.checked_add(stall_timeout);
        if sender.end == RelayedEnd::App {
            return by_frame;
        }
        let (mut has_others, mut is_awaited) = (false, false);
        for route in sender.side().routes() {
            let is_other = !std::sync::Arc::ptr_eq(&route.passage, &blocked.route.passage);
            has_others |= is_other && route.passage.is_open();
            is_awaited |= is_other && route.passage.is_waiting();
        }
        let still = stall_timeout.checked_div(STILL_PART).unwrap_or_default();
        // If the receiver takes something now, look again after the same time.
        let since = blocked.route.peer.still_since().unwrap_or_else(Instant::now);
        let by_stillness = has_others.then(|| since.checked_add(still)).flatten();
        let left = stall_timeout.saturating_sub(self.total);
        let by_total = is_awaited.then(|| blocked.since.checked_add(left)).flatten();
        [by_frame, by_stillness, by_total].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(10);

    #[test]
    fn what_was_held_up_counts_until_another_phone_is_answered() {
        let mut hold_up = HoldUp::default();
        hold_up.held(1, STALL / 2);
        hold_up.held(2, STALL / 2);
        for channel in [1, 2] {
            hold_up.answered(channel);
        }
        assert_eq!(hold_up.total, STALL, "whoever holds others up made room by itself");
        hold_up.ended(1, STALL);
        assert_eq!(hold_up.total, STALL - STALL / 10);
        hold_up.answered(3);
        assert_eq!((hold_up.total, hold_up.channels.len()), (Duration::ZERO, 0));
    }
}
