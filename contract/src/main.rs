//! `cargo run -p pulse-contract` writes every generated file; with `--check` it says which one is outdated.

use std::process::ExitCode;

fn main() -> ExitCode {
    let is_check = std::env::args().skip(1).any(|argument| argument == "--check");
    let root = pulse_contract::root();
    let mut is_outdated = false;
    for (path, text) in pulse_contract::files(&root) {
        let target = root.join(path);
        if std::fs::read_to_string(&target).is_ok_and(|committed| committed == text) {
            continue;
        }
        if is_check {
            eprintln!("{path} is outdated: run cargo run -p pulse-contract");
            is_outdated = true;
        } else {
            std::fs::write(&target, text).unwrap_or_else(|error| panic!("cannot write {path}: {error}"));
            println!("{path}");
        }
    }
    if is_outdated { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
