//! The installed tool: keys and tokens, the doctor of a hosted tenant, a demonstration of the whole journey.
//!
//! Exit status: 0 accepted, 1 refused, 2 wrong usage, 3 cannot tell.

mod demo;
mod descriptors;
mod doctor;
#[path = "../../driver/mod.rs"]
mod driver;
#[path = "../../journey/failure.rs"]
mod failure;
mod generated;
mod lease;
mod moment;
mod outcome;
mod setting;
mod shell;
mod shown;
mod style;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use outcome::{Outcome, Stop};

/// Keys, leases, licenses and grants of Pulse, and what keeps a hosted tenant from its phone
#[derive(Parser)]
#[command(name = "pulse-trust", version, propagate_version = true, max_term_width = 110, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 accepted, 1 refused, 2 wrong usage, 3 cannot tell.\n\
    Color appears on a terminal only; NO_COLOR and CLICOLOR_FORCE are obeyed, and 0 forces nothing.";

#[derive(Subcommand)]
enum Command {
    /// Makes keys; signs, verifies and shows leases, licenses and grants
    #[command(subcommand)]
    Lease(lease::LeaseCommand),
    Doctor(doctor::DoctorArgs),
    Demo(demo::DemoArgs),
    /// Runs the reference relay until a signal ends it
    #[command(after_help = pulse_relay::settings_help())]
    Relay(pulse_relay::Arguments),
    /// Uses a relay as a tenant and its phone do, with a real credential, and says what it saw
    Prober(pulse_prober::Args),
    /// Prints the completions of a shell
    #[command(
        after_help = "Example:\n  pulse-trust completions bash > ~/.local/share/bash-completion/completions/pulse-trust"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes the manual pages into a directory
    #[command(after_help = "Example:\n  pulse-trust man ~/.local/share/man/man1")]
    Man {
        /// The directory, which is made if it is missing
        directory: std::path::PathBuf,
    },
}

fn main() -> ExitCode {
    style::obey_the_environment();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) if told.use_stderr() => told.exit(),
        // Help or the version, which somebody wants to read.
        Err(told) => {
            let printed = told.print().and_then(|()| std::io::stdout().flush());
            return end(printed.map(|()| Outcome::Accepted).map_err(Stop::from));
        }
    };
    let outcome = match cli.command {
        Command::Lease(command) => lease::run(&command),
        Command::Doctor(args) => doctor::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Relay(arguments) => return pulse_relay::program(&arguments),
        Command::Prober(args) => return pulse_prober::run(&args),
        Command::Completions { shell } => generated::completions::<Cli>(shell),
        Command::Man { directory } => generated::manual::<Cli>(&directory),
    };
    end(outcome)
}

fn end(outcome: Result<Outcome, Stop>) -> ExitCode {
    match outcome {
        Ok(Outcome::Accepted) | Err(Stop::ReaderGone) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::from(1),
        Err(Stop::Usage(text)) => fail(2, &text),
        Err(Stop::CannotTell(text)) => fail(3, &text),
    }
}

fn fail(status: u8, text: &str) -> ExitCode {
    // Where standard error cannot be written, the exit status alone tells.
    writeln!(anstream::stderr(), "{} {}", style::styled(style::BAD, "error:"), shown::shown(text)).ok();
    ExitCode::from(status)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
