//! Several nodes over a NATS server, all on this machine: what an instance costs more, what crossing nodes costs, how many requests a second
//! they answer, and how long it takes until everything is well again after a node died.

mod connects;
mod deaths;
mod memory;
mod nats;
mod nodes;
mod report;
mod requests;

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;
use nodes::Program;
use report::Figures;

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Instances that are idle, and those of which a node dies: fewer where a process may have fewer than 20,000 file descriptors.
    #[arg(long, default_value_t = 10_000)]
    instances: usize,
    /// Phones, each with an instance of its own.
    #[arg(long, default_value_t = 200)]
    phones: usize,
    /// Requests a second of all phones, where a rate is kept.
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// Seconds of requests, each time.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds of nothing but pings before memory is looked at.
    #[arg(long, default_value_t = 30)]
    idle_seconds: u64,
    /// Times that memory and hops are measured, in turns; the figures are the medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// 300 instances and a second or two of each, to see that it runs.
    #[arg(long)]
    quick: bool,
    /// Writes the figures there too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// A relay's program, instead of the one that Cargo builds of these sources.
    #[arg(long)]
    relay_program: Option<PathBuf>,
}

/// Requests of each phone that wait at any time, where as many are answered as can be.
const IN_FLIGHT: usize = 2;
/// The most nodes.
const NODES: usize = 3;

/// Measures, and prints the table.
pub(crate) async fn run(mut arguments: Arguments) -> Result<(), Failure> {
    if arguments.quick {
        (arguments.instances, arguments.phones, arguments.rate) = (300, 20, 200);
        (arguments.seconds, arguments.idle_seconds, arguments.rounds) = (1, 1, 1);
    }
    let program = Program::find(arguments.relay_program.take())?;
    let (instances, phones, seconds) = (arguments.instances, arguments.phones, arguments.seconds);
    let idle = Duration::from_secs(arguments.idle_seconds);
    let memory = memory::measure(&program, instances, idle, arguments.rounds).await?;
    let hop = requests::hop(&program, phones, arguments.rate, seconds, arguments.rounds).await?;
    let connects = connects::measure(&program, if arguments.quick { 50 } else { 1000 }).await?;
    let mut throughput = Vec::new();
    for nodes in 1..=NODES {
        throughput.push(requests::throughput(&program, nodes, phones, IN_FLIGHT, seconds).await?);
    }
    let (nats, death) = deaths::measure(&program, NODES, instances).await?;
    let rate = arguments.rate;
    let figures = Figures { instances, phones, rate, memory, hop, connects, throughput, nats, death };
    println!("{}", report::table(&figures));
    if let Some(path) = arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)? + "\n")?;
    }
    Ok(())
}

/// The middle one of some figures.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
