//! What the guides say of the repository that a program can count: which language runs which vectors, how many tokens must
//! be refused, and that a link is the same on GitHub and on docs.rs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A language's tests, and how its files end.
const LANGUAGES: [(&str, &str, &str); 6] = [
    ("Rust", "tests", "rs"),
    ("C", "tests/capi", "rs"),
    ("Go", "examples/go", "_test.go"),
    ("TypeScript", "examples/typescript/test", "ts"),
    ("Kotlin", "examples/kotlin/src/test", "kt"),
    ("Swift", "examples/swift/Tests", "swift"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The published archive has neither the other languages nor the refused tokens.
fn is_whole() -> bool {
    root().join("examples/go").exists()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            files(&path, end, found);
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
}

/// The files of vectors, by the names that the table has: `frames.json`, and the folder `refused`.
fn vectors() -> BTreeSet<String> {
    let names = ["tests/vectors", "tests/vectors/deployed"].into_iter().flat_map(|folder| {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
    });
    names.filter(|name| name.ends_with(".json")).chain(["refused".to_owned()]).collect()
}

#[test]
fn the_table_of_vectors_says_which_language_runs_which() {
    if !is_whole() {
        return;
    }
    let page = read("src/documentation/architecture.md");
    let heading = LANGUAGES.map(|(language, ..)| language).join(" | ");
    let (_, table) = page.split_once(&format!("| vectors | {heading} |\n")).expect("the table of vectors");
    let (table, _) = table.split_once("\n\n").unwrap();
    let sources = LANGUAGES.map(|(_, folder, end)| {
        let mut found = Vec::new();
        files(&root().join(folder), end, &mut found);
        found.retain(|path| *path != root().join(file!()));
        found.iter().map(|path| fs::read_to_string(path).unwrap()).collect::<String>()
    });
    let mut listed = BTreeSet::new();
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells[0].trim_matches('`');
        listed.insert(name.to_owned());
        // Alone, or in a path.
        let forms = [format!("\"{name}\""), format!("/{name}\""), format!("/{name}/*")];
        for (((language, ..), source), cell) in LANGUAGES.iter().zip(&sources).zip(&cells[1..]) {
            let is_read = forms.iter().any(|form| source.contains(form));
            let expected = if is_read { "yes" } else { "" };
            assert_eq!(*cell, expected, "whether {language} reads {name}");
        }
    }
    assert_eq!(listed, vectors());
}

#[test]
fn the_number_of_refused_tokens_is_that_of_the_files() {
    if !is_whole() {
        return;
    }
    let mut found = Vec::new();
    files(&root().join("tests/vectors/refused"), "json", &mut found);
    let refused = found.iter().filter(|path| !path.parent().unwrap().ends_with("accepted")).count();
    let number = format!("{},{:03} tokens that must be refused", refused / 1000, refused % 1000);
    for page in ["SECURITY.md", "tests/torture/README.md"] {
        assert!(read(page).contains(&number), "{page}: expected {number}");
    }
}

/// The definitions of links in a text, each a name and the section of the contract that it leads to.
fn definitions<'t>(text: &'t str, file: &str) -> BTreeMap<&'t str, &'t str> {
    let lines = text.lines().map(|line| line.trim_start_matches("///").trim());
    let pairs = lines.filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    pairs.map(|(name, target)| (name, target.strip_prefix(file).unwrap_or_else(|| panic!("{target}")))).collect()
}

/// On GitHub a link leads to a file, in rustdoc to a module: each page has its definitions for GitHub, and the module, whose
/// own come first and therefore count, those for rustdoc.
#[test]
fn a_link_of_a_page_leads_to_the_same_section_on_github_and_in_rustdoc() {
    let module = read("src/documentation/mod.rs");
    for page in ["architecture", "glossary"] {
        let (before, _) = module.split_once(&format!("#[doc = include_str!(\"{page}.md\")]")).unwrap();
        let (_, of_page) = before.rsplit_once("{}\n").unwrap();
        let text = read(&format!("src/documentation/{page}.md"));
        let on_github = definitions(&text, "formats.md");
        assert!(on_github.len() > 5, "{page}.md has {} definitions", on_github.len());
        assert_eq!(on_github, definitions(of_page, "formats"), "{page}");
    }
}
