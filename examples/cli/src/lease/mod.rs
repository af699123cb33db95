//! `pulse-trust lease`: keys and tokens.

mod claims;
mod inspect;
mod keygen;
mod private_key;
mod receiver;
mod sign;
mod sign_flags;
mod tokens;
mod trust;
mod verify;

use clap::Subcommand;

use crate::outcome::{Outcome, Stop};

#[derive(Subcommand)]
pub(crate) enum LeaseCommand {
    /// Makes a key pair, or shows the public key of one
    Keygen(keygen::KeygenArgs),
    /// Signs a lease, license or grant
    Sign(Box<sign_flags::SignArgs>),
    /// Verifies tokens, one a line on standard input
    Verify(verify::VerifyArgs),
    /// Shows tokens, also those that do not verify
    Inspect(inspect::InspectArgs),
}

pub(crate) fn run(command: &LeaseCommand) -> Result<Outcome, Stop> {
    match command {
        LeaseCommand::Keygen(args) => keygen::run(args),
        LeaseCommand::Sign(args) => sign::run(args),
        LeaseCommand::Verify(args) => verify::run(args),
        LeaseCommand::Inspect(args) => inspect::run(args),
    }
}
