//! The figures, and their table.

use std::fmt::Write as _;

use serde::Serialize;

use super::connects::Connects;
use super::deaths::{Death, NatsSizes};
use super::memory::Memory;
use super::requests::{Hop, Throughput};

/// Everything that was measured.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) instances: usize,
    pub(crate) phones: usize,
    pub(crate) rate: u32,
    pub(crate) memory: Memory,
    pub(crate) hop: Hop,
    pub(crate) connects: Connects,
    pub(crate) throughput: Vec<Throughput>,
    pub(crate) nats: NatsSizes,
    pub(crate) death: Death,
}

/// The figures as Markdown.
pub(crate) fn table(figures: &Figures) -> String {
    let Figures { instances, phones, rate, memory, hop, connects, throughput, nats, death } = figures;
    let mut text = String::from("| Several nodes | |\n|---|---:|\n");
    let mut row = |name: String, value: String| {
        writeln!(text, "| {name} | {value} |").ok();
    };
    let (alone, clustered) = (&memory.alone, &memory.clustered);
    row(
        format!("Relay's memory an instance, {instances} idle: without NATS / with, KiB"),
        format!("{:.2} / {:.2}", alone.kib_per_instance, clustered.kib_per_instance),
    );
    row("of it for the cluster, KiB".to_owned(), format!("{:.2}", clustered.kib_per_instance - alone.kib_per_instance));
    row(
        format!("Connect + register of {instances} at one node: without NATS / with, s"),
        format!("{:.1} / {:.1}", alone.registered_seconds, clustered.registered_seconds),
    );
    row(
        "relay's CPU for all, s".to_owned(),
        format!("{:.1} / {:.1}", alone.registration_cpu_seconds, clustered.registration_cpu_seconds),
    );
    row("NATS's CPU for all, s".to_owned(), format!("{:.1}", clustered.registration_nats_cpu_seconds));
    row(
        format!("Request at {rate} a second, p50: same node / another, ms"),
        format!("{:.2} / {:.2}", hop.same.p50_ms, hop.other.p50_ms),
    );
    row("p99, ms".to_owned(), format!("{:.2} / {:.2}", hop.same.p99_ms, hop.other.p99_ms));
    row("unanswered".to_owned(), format!("{} / {}", hop.same.unanswered, hop.other.unanswered));
    row(
        "CONNECT to its acknowledgment, p50: same node / another / the lookup alone, ms".to_owned(),
        format!("{:.3} / {:.3} / {:.3}", connects.same.p50_ms, connects.other.p50_ms, connects.lookup.p50_ms),
    );
    row(
        "p99, ms".to_owned(),
        format!("{:.3} / {:.3} / {:.3}", connects.same.p99_ms, connects.other.p99_ms, connects.lookup.p99_ms),
    );
    row(
        format!("NATS's memory, before / with {instances} instances, MB"),
        format!("{:.0} / {:.0}", nats.empty.resident_mb, nats.full.resident_mb),
    );
    row(
        "key-value bytes / an entry".to_owned(),
        format!("{} / {:.0}", nats.full.bytes, nats.full.bytes as f64 / nats.full.entries as f64),
    );
    row(
        format!("A node of three killed, {} of {instances} instances lost: all back after, s", death.lost),
        format!("{:.2}", death.all_back_seconds),
    );
    row(
        "one that asks at once is registered elsewhere after, s".to_owned(),
        format!("{:.3}", death.registered_elsewhere_seconds),
    );
    row("where the node hangs instead, s".to_owned(), format!("{:.3}", death.hung_registered_elsewhere_seconds));
    text.push_str("\n| Nodes |");
    for of in throughput {
        write!(text, " {} |", of.nodes).ok();
    }
    write!(text, "\n|---|{}\n", "---:|".repeat(throughput.len())).ok();
    type Value = fn(&Throughput) -> String;
    let rows: [(String, Value); 6] = [
        (format!("Requests answered a second, {phones} phones and instances at random nodes"), |of| {
            format!("{:.0}", of.answered_per_second)
        }),
        ("p50 / p99, ms".to_owned(), |of| format!("{:.1} / {:.1}", of.p50_ms, of.p99_ms)),
        ("unanswered".to_owned(), |of| of.unanswered.to_string()),
        ("CPU of the nodes / of NATS, % of a core".to_owned(), |of| {
            format!("{:.0} / {:.0}", of.relay_cpu_percent, of.nats_cpu_percent)
        }),
        ("CPU of the nodes a request, us".to_owned(), |of| format!("{:.0}", of.relay_cpu_us)),
        ("CPU of NATS a request, us".to_owned(), |of| format!("{:.0}", of.nats_cpu_us)),
    ];
    for (name, value) in rows {
        let values: Vec<String> = throughput.iter().map(value).collect();
        writeln!(text, "| {name} | {} |", values.join(" | ")).ok();
    }
    text
}
