//! What clap makes of the arguments: shell completions and manual pages.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap::CommandFactory;

use crate::outcome::{Outcome, Stop};

/// Prints the completions of a shell.
pub(crate) fn completions<C: CommandFactory>(shell: clap_complete::Shell) -> Result<Outcome, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut C::command(), "pulse-trust", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Outcome::Accepted)
}

/// Writes one page for the tool and one for each of its commands.
pub(crate) fn manual<C: CommandFactory>(directory: &Path) -> Result<Outcome, Stop> {
    let failed = |error: std::io::Error| Stop::cannot_tell(format!("{}: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(C::command(), directory).map_err(failed)?;
    Ok(Outcome::Accepted)
}
