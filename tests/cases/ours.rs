//! `tests/vectors/ours.json`: what this library does where it is stricter than the deployed code, or where the deployed
//! code has no answer to compare with. By file and case; a case that is not named there is as deployed.

use std::sync::LazyLock;

use serde_json::Value;

static OURS: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/ours.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect(path)).expect(path)
});

/// A field of what is ours of a case.
pub fn ours(file: &str, case: &Value, field: &str) -> Option<&'static Value> {
    OURS[file].get(case["name"].as_str()?)?.get(field)
}

/// Asserts the outcome of a case that says which is ours: "ok", or the name of the error. Whether it does say.
pub fn is_ours<T>(file: &str, case: &Value, field: &str, outcome: &pulse_trust::Result<T>) -> bool {
    let Some(expected) = ours(file, case, field) else { return false };
    assert_eq!(outcome.as_ref().err().map_or("ok", pulse_trust::Error::name), expected);
    true
}

/// Every case that is named is one of the vectors: a name that matches none would hold nothing.
pub fn names_only_cases() {
    for (file, cases) in OURS.as_object().unwrap().iter().filter(|(name, _)| *name != "about") {
        let vectors = crate::common::vector_file(&format!("{file}.json"));
        let names: Vec<&str> =
            crate::common::cases(&vectors, "cases").iter().filter_map(|case| case["name"].as_str()).collect();
        for name in cases.as_object().unwrap().keys() {
            assert!(names.contains(&name.as_str()), "ours.json: {file}.json has no case {name}");
        }
    }
}
