//! `tests/vectors/refused`, asked from a C program that is linked with the library.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::library::{compile, root, run};

#[test]
fn a_c_program_refuses_every_token_that_must_be_refused() {
    let files = files();
    // The published archive has the accepted ones alone.
    let is_whole = root().join("tests/vectors/refused/generate.py").exists();
    let at_least = if is_whole { 1000 } else { 10 };
    assert!(files.len() >= at_least, "{} files", files.len());
    let cases: Vec<Value> =
        files.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let questions = folder.path().join("questions");
    std::fs::write(&questions, cases.iter().flat_map(question).collect::<Vec<u8>>()).unwrap();
    let program = folder.path().join("refused");
    compile(&root().join("tests/capi/refused.c"), &program);
    let output = run(Command::new(&program).stdin(File::open(&questions).unwrap()));
    let answers: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), files.len());
    for ((path, case), answer) in files.iter().zip(&cases).zip(&answers) {
        let expected = match case["error"].as_str().unwrap() {
            "" => "OK",
            name => name,
        };
        assert_eq!(answer, expected, "{}", path.display());
    }
}

/// Every file of every group.
fn files() -> Vec<PathBuf> {
    let inside =
        |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let groups = inside(&root().join("tests/vectors/refused"));
    let mut files: Vec<_> = groups.iter().filter(|path| path.is_dir()).flat_map(|group| inside(group)).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

/// As `refused.c` reads it.
fn question(case: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let keys = &case["keys"];
    for text in [&keys["lease"], &keys["license"], &case["token"], &case["host"], &case["org"], &case["capability"]] {
        let text = text.as_str().unwrap();
        bytes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend(case["now"].as_i64().unwrap().to_le_bytes());
    bytes.extend(case["leeway"].as_u64().unwrap().to_le_bytes());
    bytes
}
