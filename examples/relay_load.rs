//! The storm: thousands of instances and phones against the reference relay, each side a process of its own.
//!
//! - `cargo run --release --example relay_load` measures 10,000 instances and prints a table;
//! - `-- --scale 1000,2000,5000,10000,19500 --chart FILE` repeats it for each number and draws how cost grows;
//! - `-- --quick` is a small one, to see that it runs;
//! - `-- cluster` measures several nodes over a NATS server; `-- cluster --quick` is a small one, `--json FILE` keeps the figures;
//! - `-- attack` attacks relays that it starts on loopback, and prints what a healthy tenant noticed of it.

#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, reason = "a load tool, not the library")]

#[path = "load/admissions.rs"]
mod admissions;
#[path = "load/attack.rs"]
mod attack;
#[path = "load/attackers.rs"]
mod attackers;
#[path = "load/chart.rs"]
mod chart;
#[path = "load/cluster/mod.rs"]
mod cluster;
#[path = "load/drained.rs"]
mod drained;
#[path = "driver/mod.rs"]
mod driver;
#[path = "load/fleet.rs"]
mod fleet;
#[path = "load/phones.rs"]
mod phones;
#[path = "load/process.rs"]
mod process;
#[path = "load/spread.rs"]
mod spread;
#[path = "load/storm.rs"]
mod storm;
#[path = "load/tenant.rs"]
mod tenant;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use pulse_relay::{Config, Relay};

/// A failure, in words.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures the reference relay under load.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    load: Load,
    /// Measures each of these numbers of instances.
    #[arg(long, value_delimiter = ',', default_value = "10000")]
    scale: Vec<usize>,
    /// Draws how cost grows with instances, as SVG.
    #[arg(long)]
    chart: Option<PathBuf>,
    /// 300 instances for a few seconds.
    #[arg(long)]
    quick: bool,
}

/// What is asked of the relay.
#[derive(clap::Args, Clone)]
pub(crate) struct Load {
    /// Seconds of nothing but pings.
    #[arg(long, default_value_t = 50)]
    idle_seconds: u64,
    /// Phones, each with a channel to an instance of its own.
    #[arg(long, default_value_t = 200)]
    phones: usize,
    /// Requests a second, over all phones.
    #[arg(long, default_value_t = 2000)]
    rate: u32,
    /// Seconds of requests.
    #[arg(long, default_value_t = 15)]
    request_seconds: u64,
}

/// What a child process does; its parent talks to it by lines.
#[derive(Subcommand)]
enum Role {
    /// Attacks relays on loopback.
    Attack(attack::Arguments),
    /// Measures several nodes over a NATS server: memory, hops, throughput, and what a dead node costs.
    Cluster(cluster::Arguments),
    /// An attack.
    #[command(hide = true)]
    Attacker(attackers::Arguments),
    /// A relay, its settings in the environment.
    #[command(hide = true)]
    Relay,
    /// Instances.
    #[command(hide = true)]
    Fleet(fleet::Arguments),
    /// Phones.
    #[command(hide = true)]
    Phones(phones::Arguments),
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    rlimit::increase_nofile_limit(u64::MAX)?;
    pulse_relay::runtime()?.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.role {
        Some(Role::Attack(attack)) => attack::run(attack).await,
        Some(Role::Cluster(cluster)) => cluster::run(cluster).await,
        Some(Role::Attacker(attacker)) => attackers::run(attacker).await,
        Some(Role::Relay) => relay().await,
        Some(Role::Fleet(fleet)) => fleet::run(fleet).await,
        Some(Role::Phones(phones)) => phones::run(phones).await,
        None if arguments.quick => {
            let load = Load { idle_seconds: 3, phones: 20, rate: 200, request_seconds: 3 };
            measure(&[300], &load, arguments.chart).await
        }
        None => measure(&arguments.scale, &arguments.load, arguments.chart).await,
    }
}

async fn relay() -> Result<(), Failure> {
    let relay = Relay::start(Config::from_env()?).await?;
    println!("{}", relay.local_addr());
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    terminate.recv().await;
    relay.drain().await;
    Ok(())
}

async fn measure(scale: &[usize], load: &Load, chart: Option<PathBuf>) -> Result<(), Failure> {
    println!("| Admissions, both cores | a second |\n|---|---:|");
    for (what, per_second) in admissions::measure(Duration::from_secs(3))? {
        println!("| {what} | {per_second:.0} |");
    }
    let mut figures = Vec::new();
    let mut outcome = Ok(());
    for instances in scale {
        match storm::run(*instances, load).await {
            Ok(measured) => figures.push(measured),
            Err(error) => {
                // What was measured before is not lost.
                outcome = Err(format!("{instances} instances: {error}").into());
                break;
            }
        }
    }
    println!("\n{}", storm::table(&figures, load));
    if let Some(path) = chart {
        chart::draw(&path, &figures)?;
    }
    outcome
}
