//! The shared library exports what the header declares, and nothing else.

use std::collections::BTreeSet;
use std::process::Command;

use crate::library::{folder, run};
use crate::prototypes::prototypes;

#[test]
fn the_library_exports_what_the_header_declares() {
    let listed = run(Command::new("nm").args(["-D", "--defined-only"]).arg(folder().join("libpulse_trust.so")));
    let exported: BTreeSet<String> = String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        // Built in for `guards`; no release has it.
        .filter(|name| name != "pulse_panic_probe")
        .collect();
    let declared: BTreeSet<String> = prototypes().into_iter().map(|prototype| prototype.name).collect();
    assert_eq!(exported, declared);
    assert!(exported.iter().all(|name| name.starts_with("pulse_")));
    assert!(declared.len() > 60);
}
