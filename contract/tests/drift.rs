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

/// The WebAssembly is built without `Debug` output, so a message with `{:?}` would be shorter there than elsewhere.
#[test]
fn no_message_uses_debug() {
    let mut folders = vec![pulse_contract::root().join("src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("src can be listed") {
            let path = entry.expect("src can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files += 1;
                let text = std::fs::read_to_string(&path).expect("a source is text");
                let (code, _tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
                for (number, line) in code.lines().enumerate() {
                    let is_message = !line.trim_start().starts_with("//") && !line.contains("assert");
                    assert!(!is_message || !line.contains(":?}"), "{}:{}: {line}", path.display(), number + 1);
                }
            }
        }
    }
    assert!(files > 50, "only {files} files");
}
