//! Requests through one node and across two, and as many as one, two and three nodes answer.

use serde::Serialize;

use super::median;
use super::nodes::{Cluster, Program};
use crate::process::Role;
use crate::storm::{reports, start_fleets, words};
use crate::{Failure, phones};

/// A request at a fixed rate, over two nodes; medians over the rounds.
#[derive(Serialize)]
pub(crate) struct Hop {
    /// Phone and instance on the same node.
    pub(crate) same: Asked,
    /// On different ones.
    pub(crate) other: Asked,
}

/// What phones were answered.
#[derive(Serialize)]
pub(crate) struct Asked {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Over all rounds.
    pub(crate) answered: usize,
    /// The same.
    pub(crate) unanswered: usize,
}

/// As many requests as phones and nodes make and answer together.
#[derive(Serialize)]
pub(crate) struct Throughput {
    pub(crate) nodes: usize,
    pub(crate) answered_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) unanswered: usize,
    /// Of all nodes together, percent of a core.
    pub(crate) relay_cpu_percent: f64,
    /// The same.
    pub(crate) nats_cpu_percent: f64,
    /// Of all nodes, for each request that was answered.
    pub(crate) relay_cpu_us: f64,
    /// The same.
    pub(crate) nats_cpu_us: f64,
}

/// At the same rate, in turns.
pub(crate) async fn hop(
    program: &Program,
    phones: usize,
    rate: u32,
    seconds: u64,
    rounds: usize,
) -> Result<Hop, Failure> {
    let cluster = Cluster::start(program, 2).await?;
    let addresses = cluster.addresses();
    let mut fleets = start_fleets(phones, &addresses)?;
    reports(&mut fleets).await?;
    let (mut same, mut other) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("{rate} requests a second on one node and across two, round {round} of {rounds}");
        for (meeting, reports) in [("same", &mut same), ("other", &mut other)] {
            let ask = format!(
                "phones --relay {addresses} --meeting {meeting} --phones {phones} --rate {rate} --seconds {seconds}"
            );
            reports.push(phones::report(Role::start(&words(&ask), [])?).await?);
        }
    }
    Ok(Hop { same: medians(&same), other: medians(&other) })
}

fn medians(rounds: &[phones::Report]) -> Asked {
    let of = |value: fn(&phones::Report) -> f64| median(rounds.iter().map(value).collect());
    Asked {
        p50_ms: of(|report| report.p50_ms),
        p99_ms: of(|report| report.p99_ms),
        answered: rounds.iter().map(|report| report.answered).sum(),
        unanswered: rounds.iter().map(|report| report.unanswered).sum(),
    }
}

/// Phones and instances are at nodes of their own choice; each phone has so many requests in flight.
pub(crate) async fn throughput(
    program: &Program,
    nodes: usize,
    phones: usize,
    in_flight: usize,
    seconds: u64,
) -> Result<Throughput, Failure> {
    eprintln!("as many requests as {nodes} nodes answer");
    let cluster = Cluster::start(program, nodes).await?;
    let addresses = cluster.addresses();
    let mut fleets = start_fleets(phones, &addresses)?;
    reports(&mut fleets).await?;
    let ask = format!(
        "phones --relay {addresses} --meeting random --phones {phones} --in-flight {in_flight} --seconds {seconds}"
    );
    let mut asking = Role::start(&words(&ask), [])?;
    asking.line().await?;
    let (relays, nats) = (cluster.cpu_seconds()?, cluster.nats_cpu_seconds()?);
    let report: phones::Report = asking.report().await?;
    let (relays, nats) = (cluster.cpu_seconds()? - relays, cluster.nats_cpu_seconds()? - nats);
    Ok(Throughput {
        nodes,
        answered_per_second: report.answered as f64 / seconds as f64,
        p50_ms: report.p50_ms,
        p99_ms: report.p99_ms,
        unanswered: report.unanswered,
        relay_cpu_percent: relays * 100.0 / seconds as f64,
        nats_cpu_percent: nats * 100.0 / seconds as f64,
        relay_cpu_us: relays * 1e6 / report.answered as f64,
        nats_cpu_us: nats * 1e6 / report.answered as f64,
    })
}
