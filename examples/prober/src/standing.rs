//! What was seen so far: the last rounds of each probe.

use std::collections::VecDeque;

use pulse_trust::UnixTime;
use serde::Serialize;

use crate::probe::Probe;

/// So many rounds are kept.
pub(crate) const KEPT: usize = 60;

/// What the status page shows.
#[derive(Default, Serialize)]
pub(crate) struct Standing {
    /// The nodes' names, in the order of the arguments.
    pub(crate) nodes: Vec<String>,
    /// Unix seconds of the last round's end.
    pub(crate) at: Option<i64>,
    pub(crate) rounds: u64,
    pub(crate) last: Vec<Probe>,
    /// Whether each of the last rounds passed in full, the oldest first, with its time.
    pub(crate) history: VecDeque<(i64, usize, usize)>,
}

impl Standing {
    pub(crate) fn add(&mut self, probes: Vec<Probe>, now: UnixTime) {
        if self.history.len() >= KEPT {
            self.history.pop_front();
        }
        let passed = probes.iter().filter(|probe| probe.has_passed()).count();
        self.history.push_back((now.as_secs(), passed, probes.len()));
        self.at = Some(now.as_secs());
        self.rounds = self.rounds.saturating_add(1);
        self.last = probes;
    }

    /// How many of the last round's probes failed.
    pub(crate) fn broken(&self) -> usize {
        self.last.iter().filter(|probe| !probe.has_passed()).count()
    }
}
