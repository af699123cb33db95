//! The relay as a program: settings from the environment, SIGINT and SIGTERM drain.

use std::process::ExitCode;

/// Reference relay for Pulse: phones reach instances through it.
#[derive(clap::Parser)]
#[command(version, after_help = pulse_relay::SETTINGS)]
struct Arguments {}

fn main() -> ExitCode {
    <Arguments as clap::Parser>::parse();
    pulse_relay::program()
}
