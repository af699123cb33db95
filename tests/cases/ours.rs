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
    OURS[file].get(called(case)?)?.get(field)
}

/// What `ours.json` calls a case: by its name, else by what goes in.
fn called(case: &Value) -> Option<String> {
    if let (Some(tenant), Some(base)) = (case["tenant_id"].as_str(), case["base_url"].as_str()) {
        return Some(format!("{tenant} at {base}"));
    }
    ["name", "in", "url"].iter().find_map(|member| case[member].as_str()).map(str::to_owned)
}

/// Asserts the outcome of a case that says which is ours: "ok", or the name of the error. Whether it does say.
pub fn is_ours<T>(file: &str, case: &Value, field: &str, outcome: &pulse_trust::Result<T>) -> bool {
    let Some(expected) = ours(file, case, field) else { return false };
    assert_eq!(outcome.as_ref().err().map_or("ok", pulse_trust::Error::name), expected);
    true
}

/// Every case that is named is one of the vectors, where a name that matches none would hold nothing; and every case whose
/// vector says in words that this library decides otherwise is named.
pub fn names_the_cases() {
    for (file, ours) in OURS.as_object().unwrap().iter().filter(|(name, _)| *name != "about") {
        let vectors = crate::common::vector_file(&format!("{file}.json"));
        let cases: Vec<&Value> = vectors.as_object().unwrap().values().filter_map(Value::as_array).flatten().collect();
        let names: Vec<String> = cases.iter().filter_map(|case| called(case)).collect();
        for name in ours.as_object().unwrap().keys() {
            assert!(names.contains(name), "ours.json: {file}.json has no case {name}");
        }
        for case in cases.iter().filter(|case| case.get("ours").is_some()) {
            assert!(
                ours.get(called(case).unwrap()).is_some(),
                "ours.json does not say what is decided: {file}.json, {case}"
            );
        }
    }
}
