//! The prober as a program of its own.

use std::process::ExitCode;

/// Uses a relay as a tenant and its phone do, with a real credential, and says what it saw
#[derive(clap::Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    prober: pulse_prober::Args,
}

fn main() -> ExitCode {
    pulse_prober::run(&<Arguments as clap::Parser>::parse().prober)
}
