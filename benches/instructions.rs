//! Counts the instructions of the hot paths under valgrind, which a noisy machine does not change.
//!
//! - `cargo bench --bench instructions` prints the counts beside the committed ones, and fails where one is off by more
//!   than 3 %;
//! - `cargo bench --bench instructions -- --write` commits to the counts as they are now.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;
use pulse_benches::counted::{PATHS, path};

/// How far a count may be off, in percent.
const TOLERANCE: f64 = 3.0;
/// A path is run this often, and this much more often: the difference leaves out what comes before and after.
const RUNS: [u32; 2] = [4, 24];

/// Counts instructions.
#[derive(Parser)]
struct Arguments {
    /// Writes `benches/instructions.json` instead of comparing with it.
    #[arg(long)]
    write: bool,
    /// Runs one path, for valgrind to count.
    #[arg(long, hide = true)]
    path: Option<String>,
    /// How often.
    #[arg(long, hide = true, default_value_t = 1)]
    runs: u32,
    /// What `cargo bench` gives to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

type Counts = BTreeMap<String, u64>;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    if let Some(name) = arguments.path {
        let mut run = path(&name).ok_or("no such path")?;
        return Ok(if (0..arguments.runs).all(|_| run()) { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.json");
    let counts = PATHS.iter().map(|name| Ok(((*name).to_owned(), count(name)?))).collect::<Result<Counts, String>>()?;
    if arguments.write {
        std::fs::write(&file, serde_json::to_string_pretty(&counts)? + "\n")?;
    }
    let committed: Counts = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    println!("| Path | instructions | committed | difference |\n|---|---:|---:|---:|");
    let mut is_off = committed.len() != counts.len();
    for (name, count) in &counts {
        let expected = committed.get(name).copied().unwrap_or_default();
        let percent = (*count as f64 / expected as f64 - 1.0) * 100.0;
        let off = percent.is_nan() || percent.abs() > TOLERANCE;
        is_off |= off;
        println!("| {name} | {count} | {expected} | {percent:+.1} %{} |", if off { " **off**" } else { "" });
    }
    if is_off {
        eprintln!("counts are off by more than {TOLERANCE} %: if that is meant, commit to them with -- --write");
    }
    Ok(if is_off { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Instructions of one run of a path.
fn count(name: &str) -> Result<u64, String> {
    let [few, many] = RUNS;
    let difference = instructions(name, many)?.saturating_sub(instructions(name, few)?);
    Ok(difference / u64::from(many - few))
}

fn instructions(name: &str, runs: u32) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--path", name, "--runs", &runs.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : "));
    match collected {
        Some((_, count)) if output.status.success() => count.trim().parse().map_err(|_| format!("{name}: {count}")),
        _ => Err(format!("{name}: {text}")),
    }
}
