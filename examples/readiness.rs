//! Which link of the chain from "provisioned" to "can register" is broken, of a tenant's directory.
//!
//! `PULSE_HOSTED_MODE=true PULSE_TRIAL_ACTIVATION_PUBLIC_KEY=… cargo run --example readiness -- /etc/pulse`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use pulse_trust::UnixTime;
use pulse_trust::hosted::{LinkState, Runtime, readiness};
use pulse_trust::storage::DataDir;

/// Says which link from "provisioned" to "can register" is broken; exit status 1 if one is.
///
/// The runtime's settings come from the environment, as its container has them: PULSE_HOSTED_MODE, PULSE_PUBLIC_URL,
/// PULSE_TRIAL_ACTIVATION_PUBLIC_KEY, PULSE_LICENSE_PUBLIC_KEY.
#[derive(Parser)]
struct Arguments {
    /// The tenant's data directory.
    directory: PathBuf,
}

fn main() -> ExitCode {
    match report(Arguments::parse().directory) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error} ({} {})", error.code(), error.name());
            ExitCode::FAILURE
        }
    }
}

fn report(path: PathBuf) -> pulse_trust::Result<bool> {
    let (runtime, mut warnings) = Runtime::from_process()?;
    let data_dir = DataDir::new(path).lock()?;
    let report = readiness(&data_dir, &runtime, UnixTime::now());
    for link in &report.links {
        match &link.state {
            LinkState::Holds(seen) => println!("ok       {:<24} {seen}", link.name),
            LinkState::WillBeMade(seen) => println!("will be  {:<24} made at the next start: {seen}", link.name),
            LinkState::Broken(error) => {
                println!("BROKEN   {:<24} {error} ({} {})", link.name, error.code(), error.name())
            }
            other => println!("?        {:<24} {other:?}", link.name),
        }
    }
    warnings.extend(report.warnings.iter().cloned());
    for warning in warnings {
        println!("warning  {warning}");
    }
    Ok(report.first_broken().is_none())
}
