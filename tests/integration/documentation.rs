//! References to the documentation: each leads to a section that exists, in every language of the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The documents of `pulse_trust::_documentation`, by module.
const DOCUMENTS: [&str; 6] = ["architecture", "design", "errors", "formats", "glossary", "platforms"];

/// Folders that hold no text of the repository: version control, and what builds and package managers make.
const NOT_OURS: [&str; 6] = [".git", "target", "node_modules", ".gradle", ".build", "dist"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the repository below `folder`, with its content.
fn texts(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            texts(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
}

/// The id that rustdoc and GitHub both give a heading: lower case, spaces as hyphens, punctuation left out.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// The anchors of a Markdown text: its headings outside of code blocks. Each may occur once only.
fn anchors(name: &str, markdown: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut in_code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && line.starts_with('#') {
            let anchor = anchor(line.trim_start_matches('#'));
            assert!(anchors.insert(anchor.clone()), "{name} has two sections with the anchor #{anchor}");
        }
    }
    anchors
}

fn documents() -> BTreeMap<&'static str, BTreeSet<String>> {
    DOCUMENTS
        .into_iter()
        .map(|name| {
            let text = fs::read_to_string(root().join(format!("src/documentation/{name}.md"))).unwrap();
            (name, anchors(name, &text))
        })
        .collect()
}

/// The references to sections in a text, as (document, anchor): `formats.md#keys`, `_documentation::formats#keys` (in the
/// documents' module `]: formats#keys`), the page `_documentation/formats/index.html#keys`, and in the document itself
/// `](#keys)`.
fn references<'t>(document: Option<&'static str>, text: &'t str) -> Vec<(&'static str, &'t str)> {
    let mut found = Vec::new();
    for name in DOCUMENTS {
        let forms = [
            format!("{name}.md#"),
            format!("_documentation::{name}#"),
            format!("]: {name}#"),
            format!("{name}/index.html#"),
        ];
        for form in forms {
            found.extend(text.split(&form).skip(1).map(|rest| (name, word(rest))));
        }
    }
    if let Some(name) = document {
        found.extend(text.split("](#").skip(1).map(|rest| (name, word(rest))));
    }
    found
}

fn word(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).next().unwrap_or_default()
}

/// What a set of texts refers to in vain, one line each.
fn dead_references(texts: &[(PathBuf, String)], documents: &BTreeMap<&'static str, BTreeSet<String>>) -> Vec<String> {
    let mut dead = Vec::new();
    for (path, text) in texts {
        let document = DOCUMENTS.into_iter().find(|name| path.ends_with(format!("src/documentation/{name}.md")));
        for (name, anchor) in references(document, text) {
            if !documents[name].contains(anchor) {
                dead.push(format!("{}: {name}.md has no section #{anchor}", path.display()));
            }
        }
    }
    dead
}

/// The texts of the repository but for this file, whose examples refer to sections that do not exist.
fn repository() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    texts(root(), &mut found);
    found.retain(|(path, _)| *path != root().join(file!()));
    found
}

#[test]
fn every_reference_to_a_section_leads_somewhere() {
    let texts = repository();
    assert!(texts.len() > 100, "only {} texts found: this test looks in the wrong place", texts.len());
    let dead = dead_references(&texts, &documents());
    assert!(dead.is_empty(), "{} dead references:\n{}", dead.len(), dead.join("\n"));
}

/// Sections have names. A number would have to be looked up in a list that nobody has.
#[test]
fn no_text_refers_to_a_section_by_number() {
    let by_number = |text: &str| {
        text.split("FORMATS ").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            || text.contains("FORMATS.md")
    };
    assert!(by_number("// as FORMATS 7 says") && by_number("FORMATS.md") && !by_number("formats.md#keys"));
    let texts = repository();
    let named: Vec<String> =
        texts.iter().filter(|(_, text)| by_number(text)).map(|(path, _)| path.display().to_string()).collect();
    assert!(named.is_empty(), "name the section, as formats.md#keys, in:\n{}", named.join("\n"));
}

#[test]
fn a_reference_to_a_missing_section_is_found_in_each_form() {
    for text in [
        "// formats.md#nowhere",
        "/// [formats: nowhere](crate::_documentation::formats#nowhere)",
        "https://docs.rs/pulse-trust/latest/pulse_trust/_documentation/formats/index.html#nowhere",
        "[GitHub](src/documentation/formats.md#nowhere)",
        "/// [nowhere]: formats#nowhere",
    ] {
        let texts = [(PathBuf::from("planted"), text.to_owned())];
        assert_eq!(dead_references(&texts, &documents()), ["planted: formats.md has no section #nowhere"], "{text}");
    }
    let within = [(root().join("src/documentation/formats.md"), "[keys](#keyz)".to_owned())];
    assert_eq!(dead_references(&within, &documents()).len(), 1);
}

#[test]
fn the_contract_has_the_sections_that_code_refers_to() {
    let formats = &documents()["formats"];
    for section in [
        "keys",
        "compact-tokens",
        "hosted-lease",
        "lease-claims",
        "host-normalization",
        "plans-and-limits",
        "provider-chained-lease",
        "tiers-and-capabilities",
        "grant",
        "license",
        "instance-ids",
        "admission",
        "encrypted-files",
        "billing-state",
        "hosted-bootstrap",
        "lease-refresh",
        "frames",
        "channel-encryption",
        "pairing",
        "relay-surface",
    ] {
        assert!(formats.contains(section), "formats.md lost its section #{section}");
    }
}

/// The texts in backticks of a document outside of its code blocks.
fn code_spans(markdown: &str) -> Vec<&str> {
    let outside = markdown.split("```").step_by(2);
    outside.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

/// The documents that send a reader to files of the repository.
const GUIDES: [&str; 6] = [
    "src/documentation/architecture.md",
    "src/documentation/design.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "README.md",
    "SECURITY.md",
];

#[test]
fn every_file_that_a_guide_names_is_there() {
    let mut missing = Vec::new();
    let mut named = 0;
    for guide in GUIDES {
        let text = fs::read_to_string(root().join(guide)).unwrap();
        let is_path = |span: &&str| {
            ["src/", "contract/", "tests/", "examples/", "include/", "benches/", ".ci/", ".github/"]
                .iter()
                .any(|top| span.starts_with(top))
                && !span.contains(['<', '*', ' '])
        };
        for path in code_spans(&text).into_iter().filter(is_path) {
            named += 1;
            if !root().join(path).exists() {
                missing.push(format!("{guide}: {path}"));
            }
        }
    }
    assert!(named > 40, "only {named} files are named: this test looks in the wrong place");
    assert!(missing.is_empty(), "named, but not there:\n{}", missing.join("\n"));
}

/// The relative links of a Markdown text, outside of code: what stands between `](` and `)`, without an anchor.
fn relative_links(markdown: &str) -> Vec<&str> {
    // A fence first, then code in a line: a piece between two marks is code, and the piece after it is none.
    let outside = markdown.split("```").step_by(2).flat_map(|text| text.split('`').step_by(2));
    let links = outside.flat_map(|text| text.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
    links
        .filter(|link| !link.contains("://") && !link.contains("::"))
        .filter_map(|link| link.split('#').next())
        .collect()
}

#[test]
fn every_relative_link_of_a_markdown_file_leads_to_a_file() {
    let mut missing = Vec::new();
    let mut followed = 0;
    for (path, text) in repository() {
        if path.extension().is_none_or(|end| end != "md") {
            continue;
        }
        for link in relative_links(&text).into_iter().filter(|link| !link.is_empty()) {
            followed += 1;
            if !path.parent().unwrap().join(link).exists() {
                missing.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(followed > 20, "only {followed} links found: this test looks in the wrong place");
    assert!(missing.is_empty(), "links that lead nowhere:\n{}", missing.join("\n"));
}

/// The crate's front page explains every feature.
#[test]
fn every_feature_is_explained() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let front_page = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let (_, features) = manifest.split_once("\n[features]\n").unwrap();
    let (features, _) = features.split_once("\n[").unwrap();
    let names = features.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let unexplained: Vec<&str> = names
        .map(|(name, _)| name)
        .filter(|name| *name != "default" && !front_page.contains(&format!("//! | `{name}` |")))
        .collect();
    assert!(unexplained.is_empty(), "src/lib.rs does not explain: {}", unexplained.join(", "));
}

/// What SECURITY.md promises is held by tests that exist: the names in the last column of its table of promises.
#[test]
fn every_promise_of_the_security_policy_names_its_tests() {
    let policy = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let (_, table) = policy.split_once("| promise | held by |").expect("SECURITY.md has its table of promises");
    let (table, _) = table.split_once("\n\n").unwrap();
    let sources = repository();
    let mut missing = Vec::new();
    for row in table.lines().skip(2) {
        let (_, tests) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        let tests = code_spans(tests);
        assert!(!tests.is_empty(), "a promise without a test: {row}");
        for test in tests {
            // A command, which runs more than one test.
            if test.starts_with("cargo ") {
                continue;
            }
            // A file of cases, each of which is a test by its own name.
            if test.contains('/') {
                if !root().join(test).exists() {
                    missing.push(test.to_owned());
                }
                continue;
            }
            let function = format!("fn {test}(");
            let is_there = |(path, text): &(PathBuf, String)| {
                path.extension().is_some_and(|end| end == "rs") && text.contains(&function)
            };
            if !sources.iter().any(is_there) {
                missing.push(test.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {}", missing.join(", "));
}
