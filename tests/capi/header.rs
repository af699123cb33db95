//! What the header defines, and that compilers take it. `contract/tests/drift.rs` holds it against the sources.

use std::process::Command;

use pulse_trust::Error;

use crate::library::{root, run};

fn committed() -> String {
    std::fs::read_to_string(root().join("include/pulse_trust.h")).unwrap()
}

#[test]
fn every_error_is_a_constant() {
    let header = committed();
    for entry in Error::TABLE {
        let (code, name) = (entry.code, entry.name);
        assert!(header.contains(&format!("\n#define PULSE_ERR_{name} {code}\n")), "{name}");
    }
    assert_eq!(header.matches("#define PULSE_ERR_").count(), Error::TABLE.len() + 3);
}

/// A program can compare the header that it was compiled with to the library that it runs with.
#[test]
fn the_version_of_the_header_is_the_library_s() {
    let header = committed();
    assert!(header.contains(&format!("\n#define PULSE_TRUST_VERSION \"{}\"\n", env!("CARGO_PKG_VERSION"))));
    for (part, number) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        assert!(header.contains(&format!("\n#define PULSE_TRUST_VERSION_{part} {number}\n")), "{part}");
    }
}

#[test]
fn only_pulse_names_are_defined() {
    for line in committed().lines() {
        if let Some(name) = line.strip_prefix("#define ") {
            assert!(name.starts_with("PULSE_"), "{line}");
        }
    }
}

#[test]
fn c11_and_cpp17_take_the_header_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    for (compiler, file, standard) in [("cc", "header.c", "-std=c11"), ("c++", "header.cpp", "-std=c++17")] {
        let source = folder.path().join(file);
        let text = "#include <pulse_trust.h>\nint main(void) { return pulse_version() == 0; }\n";
        std::fs::write(&source, text).unwrap();
        run(Command::new(compiler)
            .args([standard, "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I"])
            .arg(root().join("include"))
            .arg(&source));
    }
}
