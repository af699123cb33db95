//! Times contenders against each other: in rounds, each with a slice of every one, so that noise hits all alike.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One way to do the work.
pub struct Contender<'a> {
    /// What it is.
    pub name: String,
    /// So many items one run deals with.
    pub items: usize,
    /// One run; false if the work did not succeed.
    pub run: Box<dyn FnMut() -> bool + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender that deals with one item a run.
    pub fn new(name: impl Into<String>, run: impl FnMut() -> bool + 'a) -> Self {
        Self { name: name.into(), items: 1, run: Box::new(run) }
    }

    /// The same, of `items` items a run.
    #[must_use]
    pub fn of(self, items: usize) -> Self {
        Self { items, ..self }
    }

    fn time(&mut self, runs: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..runs {
            assert!(black_box((self.run)()), "{} failed", self.name);
        }
        start.elapsed()
    }
}

/// Nanoseconds per item.
#[derive(Debug, Clone, Copy)]
pub struct Nanoseconds {
    /// The median over all rounds.
    pub median: f64,
    /// The 10th percentile.
    pub low: f64,
    /// The 90th percentile.
    pub high: f64,
}

/// Times every contender in `rounds` rounds of about `slice` each, the first in each round another one.
pub fn measure(contenders: &mut [Contender<'_>], rounds: usize, slice: Duration) -> Vec<Nanoseconds> {
    let runs: Vec<u32> = contenders.iter_mut().map(|contender| runs_in(contender, slice)).collect();
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        for offset in 0..contenders.len() {
            let index = (round + offset) % contenders.len();
            let items = f64::from(runs[index]) * contenders[index].items as f64;
            times[index].push(contenders[index].time(runs[index]).as_nanos() as f64 / items);
        }
    }
    times.into_iter().map(summary).collect()
}

/// How many runs fill the slice, after as many to warm up.
fn runs_in(contender: &mut Contender<'_>, slice: Duration) -> u32 {
    let start = Instant::now();
    let mut runs = 0_u32;
    while start.elapsed() < slice {
        contender.time(1);
        runs += 1;
    }
    runs.max(1)
}

fn summary(mut times: Vec<f64>) -> Nanoseconds {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    Nanoseconds { median: at(50), low: at(10), high: at(90) }
}
