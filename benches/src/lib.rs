//! What the benchmarks share: one lease and its keys, the peers that check the same lease, and how they are timed.

pub mod chart;
pub mod contenders;
pub mod counted;
pub mod fixtures;
pub mod report;
pub mod rounds;
