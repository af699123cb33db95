//! The relay, instances, phones and attackers in a simulated network, with faults by seed. Every run of a seed does the
//! same; what must always hold is checked at each frame.
//!
//! - `cargo test -p pulse-relay --test simulation` runs 40 seeds;
//! - `PULSE_SIM_SEEDS=10000` before it runs that many;
//! - `PULSE_SIM_SEED=17` runs that one alone, and says what happens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[path = "../../../driver/mod.rs"]
#[allow(dead_code, reason = "sockets of the operating system have no place here")]
mod driver;
mod hostile;
mod instance;
mod network;
mod phone;
mod plan;
mod random;
mod renewal;
mod run;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a whole number"))
}

#[test]
fn what_must_always_hold_holds_whatever_fails() {
    if let Some(seed) = setting("PULSE_SIM_SEED") {
        let report = run::run(seed, true);
        println!("{report:#?}");
        assert!(report.violations.is_empty());
        return;
    }
    let seeds = setting("PULSE_SIM_SEEDS").unwrap_or(40);
    let next = AtomicU64::new(0);
    let one_after_the_other = || {
        let mut reports = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return reports;
            }
            reports.push(run::run(seed, false));
        }
    };
    let reports: Vec<_> = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one_after_the_other)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let sum = |count: fn(&run::Report) -> u64| reports.iter().map(count).sum::<u64>();
    println!(
        "{} seeds: {} requests answered, {} failed, {} registrations, {} faults, {} hostile frames",
        reports.len(),
        sum(|report| report.answered),
        sum(|report| report.failed),
        sum(|report| report.registrations),
        sum(|report| report.faults),
        sum(|report| report.hostile_frames),
    );
    let broken: Vec<_> = reports.iter().filter(|report| !report.violations.is_empty()).collect();
    for report in broken.iter().take(5) {
        println!("seed {}: {:?}", report.seed, report.violations);
        println!("  again: PULSE_SIM_SEED={} cargo test -p pulse-relay --test simulation -- --nocapture", report.seed);
    }
    assert!(broken.is_empty(), "{} seeds show a violation", broken.len());
    // A simulation in which nothing happens finds nothing.
    assert!(sum(|report| report.answered) > 20 * seeds && sum(|report| report.faults) > seeds);
}
