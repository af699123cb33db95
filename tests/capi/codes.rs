//! The numbers of errors, seen from a C program.

use std::process::Command;

use crate::library::{compile, root, run};

#[test]
fn an_error_has_the_number_that_rust_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("codes");
    compile(&root().join("tests/capi/codes.c"), &program);
    run(&mut Command::new(&program));
}
