//! No secret is left in memory that the library has freed, nor on the stack of a call that has returned: for keys, files,
//! pairing codes, control messages, refreshes and the sessions of C programs, where they succeed and where they are refused.
#![cfg(all(target_os = "linux", feature = "storage"))]
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "an allocator is unsafe, and tests panic"
)]

#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "capi")]
mod c_calls;
mod messages;
mod paths;
mod scanner;
mod stack;

use scanner::{MARK, Scanner, freed_with_mark, marks};
use stack::left_on_stack;

#[global_allocator]
static SCANNER: Scanner = Scanner;

#[test]
fn no_freed_memory_holds_a_secret() {
    let mut faults = Vec::new();
    for path in paths::all().into_iter().chain(paths::of_the_heap_alone()) {
        let job = (path.prepare)();
        for place in freed_with_mark(job) {
            faults.push(format!("{}: {place}", path.name));
        }
    }
    assert!(faults.is_empty(), "{} blocks:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn no_secret_is_left_on_the_stack() {
    let mut faults = Vec::new();
    for path in paths::all() {
        for place in left_on_stack((path.prepare)()) {
            faults.push(format!("{}: {place}", path.name));
        }
    }
    assert!(faults.is_empty(), "{} places:\n{}", faults.len(), faults.join("\n"));
}

/// The scanner sees what it is to see: else the two tests above would say nothing.
#[test]
fn a_secret_that_is_left_is_found() {
    assert_eq!(freed_with_mark(|| drop(MARK.to_vec())).len(), 1);
    assert_eq!(freed_with_mark(|| drop(MARK[16..].to_vec())).len(), 1);
    assert_eq!(freed_with_mark(|| drop(vec![7_u8; 32])).len(), 0);
    let grown = freed_with_mark(|| {
        let mut text = Vec::with_capacity(32);
        text.extend_from_slice(MARK);
        text.extend_from_slice(&[0; 64]);
        text.fill(0);
    });
    assert_eq!(grown.len(), 1);
    let left = left_on_stack(|| {
        let mut copy = [0_u8; 512];
        copy[100..132].copy_from_slice(MARK);
        assert!(marks(std::hint::black_box(&copy)).next().is_some());
    });
    assert!(!left.is_empty(), "a copy on the stack");
    assert!(left_on_stack(|| ()).is_empty(), "nothing was there");
}
