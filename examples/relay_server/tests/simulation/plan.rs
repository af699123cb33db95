//! What goes wrong in a run, and when.

use crate::random::Random;

/// Names of the nodes that faults strike.
pub(crate) const TENANTS: usize = 2;
pub(crate) const PHONES: usize = 3;

#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing passes between the relay and a node.
    Partition(String),
    /// What is sent between the relay and a node waits.
    Hold(String),
    /// Both again.
    Repair(String),
    /// The relay is killed; its data directory stays, or is lost.
    CrashRelay {
        loses_data: bool,
    },
    StartRelay,
    CrashNode(String),
    StartNode(String),
    /// The relay's clock jumps.
    Jump(i64),
}

pub(crate) struct Plan {
    /// By milliseconds, in order.
    pub(crate) faults: Vec<(u64, Fault)>,
    /// Whether only the attackers disturb: then the healthy tenant is served in time.
    pub(crate) is_quiet: bool,
    /// Seconds that a lease of the tenant counts.
    pub(crate) lease_seconds: [i64; TENANTS],
    pub(crate) has_slow_phone: bool,
}

/// Until when faults begin and end; after that everything must work again.
pub(crate) const FAULTS_UNTIL_MS: u64 = 15_000;

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Self {
        let is_quiet = random.one_in(4);
        let lease_seconds = [6 + i64::try_from(random.below(20)).unwrap(), 3600];
        let mut faults = Vec::new();
        for _ in 0..if is_quiet { 0 } else { 2 + random.below(5) } {
            let at = 1000 + random.below(FAULTS_UNTIL_MS - 7000);
            let end = at + 200 + random.below(5000);
            let node = match random.below(2) {
                0 => format!("instance{}", random.below(u64::try_from(TENANTS).unwrap())),
                _ => format!("phone{}", random.below(u64::try_from(PHONES).unwrap())),
            };
            match random.below(6) {
                0 => faults.extend([(at, Fault::Partition(node.clone())), (end, Fault::Repair(node))]),
                1 => faults.extend([(at, Fault::Hold(node.clone())), (end, Fault::Repair(node))]),
                2 | 3 => {
                    let loses_data = random.one_in(4);
                    faults.extend([(at, Fault::CrashRelay { loses_data }), (end, Fault::StartRelay)]);
                }
                4 => faults.extend([(at, Fault::CrashNode(node.clone())), (end, Fault::StartNode(node))]),
                _ => {
                    let seconds = i64::try_from(random.below(7200)).unwrap() - 3600;
                    faults.push((at, Fault::Jump(seconds)));
                }
            }
        }
        faults.sort_by_key(|(at, _)| *at);
        Self { faults, is_quiet, lease_seconds, has_slow_phone: random.one_in(2) }
    }
}
