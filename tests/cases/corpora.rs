//! The fuzzers' corpora: every input that is kept must pass, as it does under the fuzzer.

use std::path::Path;

use libtest_mimic::Trial;

use crate::inputs;

pub fn tests() -> Vec<Trial> {
    let mut tests = corpus("claims", inputs::claims::run);
    tests.extend(corpus("deep_link", inputs::deep_link::run));
    tests.extend(corpus("files", inputs::files::run));
    tests.extend(corpus("frames", inputs::frames::run));
    tests.extend(corpus("key_file", inputs::key_file::run));
    tests.extend(corpus("pairing_code", inputs::pairing_code::run));
    tests.extend(corpus("relay_enc", inputs::relay_enc::run));
    tests.extend(corpus("sessions", inputs::sessions::run));
    tests.extend(corpus("token", inputs::token::run));
    #[cfg(feature = "capi")]
    tests.extend(corpus("c_calls", inputs::c_calls::run));
    tests
}

fn corpus(target: &'static str, run: fn(&[u8])) -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let tests: Vec<Trial> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = format!("fuzz/{target}/{}", path.file_name().unwrap().to_string_lossy());
            Trial::test(name, move || {
                run(&std::fs::read(&path)?);
                Ok(())
            })
        })
        .collect();
    assert!(!tests.is_empty(), "{} is empty", folder.display());
    tests
}
