//! The relay as a program: settings from the environment and a file, SIGINT and SIGTERM drain, SIGHUP reads settings again.

use std::process::ExitCode;

/// Reference relay for Pulse: phones reach instances through it
#[derive(clap::Parser)]
#[command(version, after_help = pulse_relay::settings_help())]
struct Program {
    #[command(flatten)]
    arguments: pulse_relay::Arguments,
}

fn main() -> ExitCode {
    pulse_relay::program(&<Program as clap::Parser>::parse().arguments)
}
