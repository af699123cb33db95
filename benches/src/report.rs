//! The comparison as Markdown for people and JSON for programs.

use serde::Serialize;

use crate::rounds::{Contender, Nanoseconds};

/// One row of a table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// Median per item in microseconds.
    pub median_us: f64,
    /// 10th percentile.
    pub p10_us: f64,
    /// 90th percentile.
    pub p90_us: f64,
    /// How many times as fast as the fastest peer of its table.
    pub times_fastest_peer: f64,
    /// Whether it is this library's.
    pub ours: bool,
}

/// A table: contenders for the same work.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// The work.
    pub title: String,
    /// The contenders.
    pub rows: Vec<Row>,
}

impl Table {
    /// Puts contenders and their times together. This library's are those named after it.
    pub fn new(title: &str, contenders: &[Contender<'_>], times: &[Nanoseconds]) -> Self {
        let is_ours = |name: &str| name.starts_with("pulse-trust");
        let peers = contenders.iter().zip(times).filter(|(contender, _)| !is_ours(&contender.name));
        let fastest = peers.map(|(_, time)| time.median).fold(f64::INFINITY, f64::min);
        let row = |(contender, time): (&Contender<'_>, &Nanoseconds)| Row {
            what: contender.name.clone(),
            median_us: time.median / 1e3,
            p10_us: time.low / 1e3,
            p90_us: time.high / 1e3,
            times_fastest_peer: fastest / time.median,
            ours: is_ours(&contender.name),
        };
        Self { title: title.to_owned(), rows: contenders.iter().zip(times).map(row).collect() }
    }

    /// The table in Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = format!(
            "| {} | median us | 10th to 90th percentile | times the fastest peer |\n|---|---:|---:|---:|\n",
            self.title
        );
        for row in &self.rows {
            text += &format!(
                "| {} | {:.1} | {:.1} to {:.1} | {:.2} |\n",
                row.what, row.median_us, row.p10_us, row.p90_us, row.times_fastest_peer
            );
        }
        text
    }
}

/// Processor, its features that count here, and compiler target: figures mean nothing without.
pub fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = model.trim_start_matches([' ', '\t', ':']);
    let portable =
        if cfg!(target_feature = "avx2") { "with target features beyond the baseline" } else { "portable build" };
    format!("{model}, {cores} cores, {}-{}, {portable}", std::env::consts::ARCH, std::env::consts::OS)
}
