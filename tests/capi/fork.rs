//! The lock of a data directory and processes that fork, seen from a C program.

use std::process::Command;

use crate::library::{compile, root, run};

#[test]
fn a_fork_neither_keeps_nor_releases_the_lock_of_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("fork");
    compile(&root().join("tests/capi/fork.c"), &program);
    run(Command::new(&program).arg(folder.path()));
}
