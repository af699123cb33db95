//! The whole comparison: `cargo bench --bench comparison [-- --json FILE] [--chart FILE] [--quick]`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use pulse_benches::contenders::{bare, jsonwebtoken, jwt_simple, ours, pasetors};
use pulse_benches::fixtures::Fixture;
use pulse_benches::report::{Table, machine};
use pulse_benches::{chart, rounds};
use pulse_trust::keys::TableSize;

/// Measures this library beside its peers.
#[derive(Parser)]
struct Arguments {
    /// Writes the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Draws the chart as SVG.
    #[arg(long)]
    chart: Option<PathBuf>,
    /// Few, short rounds: to see that it runs.
    #[arg(long)]
    quick: bool,
    /// What `cargo bench` gives to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let (rounds, slice) =
        if arguments.quick { (5, Duration::from_millis(2)) } else { (101, Duration::from_millis(10)) };
    let fixture = Fixture::new();
    let mut leases = vec![
        ours::single(&fixture, TableSize::Huge),
        ours::single(&fixture, TableSize::Large),
        ours::single(&fixture, TableSize::Medium),
        ours::single(&fixture, TableSize::Small),
        ours::bulk(&fixture, TableSize::Huge, 8),
        ours::bulk(&fixture, TableSize::Huge, 64),
        ours::bulk(&fixture, TableSize::Huge, 512),
        ours::bulk(&fixture, TableSize::Large, 8),
        ours::bulk(&fixture, TableSize::Large, 64),
        ours::bulk(&fixture, TableSize::Large, 512),
        ours::single(&fixture, TableSize::None),
        jsonwebtoken::contender(&fixture, true),
        jsonwebtoken::contender(&fixture, false),
        jwt_simple::contender(&fixture),
        pasetors::contender(&fixture),
    ];
    let mut signatures = vec![
        bare::prepared(&fixture, TableSize::Huge),
        bare::prepared(&fixture, TableSize::Large),
        bare::prepared(&fixture, TableSize::Medium),
        bare::prepared(&fixture, TableSize::Small),
        bare::prepared_bulk(&fixture, TableSize::Huge, 64),
        bare::prepared_bulk(&fixture, TableSize::Large, 64),
        bare::dalek(&fixture, true),
        bare::dalek(&fixture, false),
        bare::ring(&fixture),
        bare::aws_lc(&fixture),
        bare::graviola(&fixture),
        bare::solana(&fixture, true),
        bare::solana(&fixture, false),
    ];
    #[cfg(all(target_arch = "x86_64", target_feature = "avx512ifma"))]
    signatures.extend([8, 64].map(|count| bare::simd_bulk(&fixture, count)));
    let title = format!("Full check of a {}-byte lease", fixture.lease.len());
    let tables =
        [(title.as_str(), &mut leases), ("The signature alone", &mut signatures)].map(|(title, contenders)| {
            let times = rounds::measure(contenders, rounds, slice);
            Table::new(title, contenders, &times)
        });
    let machine = machine();
    println!("{machine}; {rounds} interleaved rounds\n");
    for table in &tables {
        println!("{}", table.to_markdown());
    }
    // Cargo runs a bench in its package's folder; a path is meant from where the caller stands.
    let caller = std::env::var_os("PWD").map(PathBuf::from).unwrap_or_default();
    if let Some(path) = arguments.json.map(|path| caller.join(path)) {
        let figures = serde_json::json!({ "machine": machine, "rounds": rounds, "tables": tables });
        std::fs::write(path, serde_json::to_string_pretty(&figures)? + "\n")?;
    }
    if let Some(path) = arguments.chart.map(|path| caller.join(path)) {
        chart::draw(&path, "A hosted lease, from text to verified claims", &machine, &tables[0].rows)?;
    }
    Ok(())
}
