//! The table at the end.

use std::process::ExitCode;
use std::time::Instant;

/// What came of one kind of test.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) cases: usize,
    pub(crate) failures: Vec<String>,
}

impl Outcome {
    /// Counts one case; a failure says what was lost.
    pub(crate) fn count(&mut self, name: impl FnOnce() -> String, result: Result<(), String>) {
        self.cases += 1;
        if let Err(failure) = result {
            self.failures.push(format!("{}: {failure}", name()));
        }
    }
}

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(&'static str, usize, usize)>,
}

impl Report {
    pub(crate) fn add(&mut self, name: &'static str, run: impl FnOnce() -> Outcome) {
        let start = Instant::now();
        eprintln!("{name} ...");
        let mut outcome = run();
        if outcome.cases == 0 {
            outcome.failures.push("no case was run".to_owned());
        }
        for failure in outcome.failures.iter().take(20) {
            eprintln!("  FAILED {failure}");
        }
        eprintln!("  {} cases in {} s", outcome.cases, start.elapsed().as_secs());
        self.rows.push((name, outcome.cases, outcome.failures.len()));
    }

    pub(crate) fn finish(self) -> ExitCode {
        println!("| test | cases | failures |\n|---|---:|---:|");
        for (name, cases, failures) in &self.rows {
            println!("| {name} | {cases} | {failures} |");
        }
        let cases: usize = self.rows.iter().map(|row| row.1).sum();
        let failures: usize = self.rows.iter().map(|row| row.2).sum();
        println!("| **all** | **{cases}** | **{failures}** |");
        if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
