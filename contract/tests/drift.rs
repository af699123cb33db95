//! What is committed is what the sources say.

#[test]
fn every_generated_file_is_current() {
    let root = pulse_contract::root();
    let outdated: Vec<_> = pulse_contract::files(&root)
        .into_iter()
        .filter(|(path, text)| std::fs::read_to_string(root.join(path)).ok().as_deref() != Some(text))
        .map(|(path, _)| path)
        .collect();
    assert!(outdated.is_empty(), "outdated, run cargo run -p pulse-contract: {outdated:?}");
}
