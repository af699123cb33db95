//! Every case of the vectors, and every input of the fuzzers' corpora, as a test of its own: a case that fails is named,
//! and one alone is run by `cargo test --all-features --test cases leases/expired`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../fuzz/inputs/mod.rs"]
mod inputs;

mod billing;
#[cfg(feature = "capi")]
#[allow(unsafe_code, reason = "it calls the C functions")]
mod c_program;
mod corpora;
mod entitlement;
mod keys;
mod ours;
mod pairing;
mod refused;
#[cfg(feature = "capi")]
#[allow(unsafe_code, reason = "it calls the C functions")]
mod refused_in_c;
mod relay;
mod tables;
mod tenants;
#[path = "../integration/pairing/vector.rs"]
mod vector;

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

fn main() {
    let mut arguments = Arguments::from_args();
    // A panic's place is printed when it happens; of many at once it could not be told whose it is.
    arguments.test_threads = arguments.test_threads.or(Some(1));
    let tests = [
        billing::tests(),
        corpora::tests(),
        entitlement::tests(),
        keys::tests(),
        pairing::tests(),
        refused::tests(),
        relay::tests(),
        #[cfg(feature = "capi")]
        c_program::tests(),
        tables::tests(),
        tenants::tests(),
    ];
    libtest_mimic::run(&arguments, tests.into_iter().flatten().collect()).exit();
}

/// A test for each case of a list in a vector file: `check(file, case)`. An empty list is a failure.
fn each(file: &'static str, list: &'static str, check: fn(&Value, &Value)) -> Vec<Trial> {
    let name = file.trim_end_matches(".json");
    let group = if list == "cases" { name.to_owned() } else { format!("{name}/{list}") };
    each_as(&group, file, list, check)
}

/// The same under another name, for a second look at the cases of a file.
fn each_as(group: &str, file: &'static str, list: &'static str, check: fn(&Value, &Value)) -> Vec<Trial> {
    let count = common::cases(&common::vector_file(file), list).len();
    (0..count)
        .map(|index| {
            let content = common::vector_file(file);
            let name = case_name(&content[list][index], index);
            Trial::test(format!("{group}/{name}"), move || {
                check(&content, &content[list][index]);
                Ok(())
            })
        })
        .collect()
}

/// What a case is called: by its name, else by its number and what goes in.
fn case_name(case: &Value, index: usize) -> String {
    if let Some(name) = case["name"].as_str() {
        return name.to_owned();
    }
    let input = ["in", "url", "tier", "tenant_id", "plan_version", "hex", "failures"]
        .iter()
        .find_map(|member| case.get(member));
    let input = input.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
    let input: String =
        input.chars().take(40).map(|letter| if letter.is_ascii_graphic() { letter } else { '_' }).collect();
    format!("{index}:{input}")
}

/// One test that is not a list of cases.
fn one(name: &'static str, check: fn()) -> Trial {
    Trial::test(name, move || {
        check();
        Ok(())
    })
}
