//! What crosses the C boundary, read from `src/ffi` and from the tables of the compiled crate, as one contract; and all
//! that is generated from it. Run `cargo run -p pulse-contract` after a change; `tests/drift.rs` fails until then.
//!
//! - [`source`] reads the functions: their groups, documentation, and the role of each parameter.
//! - [`model`] is the contract, as `include/pulse_trust.contract.json` has it.
//! - [`header`], [`go`], [`typescript`], [`kotlin`], [`swift`] and [`errors_page`] each write one language.

pub mod errors_page;
pub mod go;
pub mod header;
pub mod kotlin;
pub mod model;
pub mod source;
pub mod swift;
pub mod typescript;

use std::path::{Path, PathBuf};

/// Where the repository is.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every generated file: its path from the root, and its text.
#[must_use]
pub fn files(root: &Path) -> Vec<(&'static str, String)> {
    let contract = source::contract(root);
    let json = serde_json::to_string_pretty(&contract).expect("a contract is JSON");
    let header = header::write(root, &contract);
    vec![
        ("include/pulse_trust.contract.json", json + "\n"),
        ("include/pulse_trust.h", header.clone()),
        // Once more where a fetched Go module has it: inside.
        ("examples/go/internal/engine/pulse_trust.h", header),
        ("examples/go/codes.go", go::codes(&contract)),
        ("examples/go/internal/engine/constants.go", go::constants(&contract)),
        ("examples/go/internal/engine/calls_cgo.go", go::cgo::calls(&contract)),
        ("examples/go/internal/engine/calls_module.go", go::wasm::calls(&contract)),
        ("examples/typescript/src/codes.ts", typescript::codes(&contract)),
        ("examples/kotlin/src/main/kotlin/io/pulserelay/trust/PulseCode.kt", kotlin::codes(&contract)),
        ("examples/kotlin/src/main/kotlin/io/pulserelay/trust/FrameType.kt", kotlin::frame_types(&contract)),
        ("examples/kotlin/src/main/kotlin/io/pulserelay/trust/ffi/PulseLibrary.kt", kotlin::library(&contract)),
        (
            "examples/kotlin/src/main/kotlin/io/pulserelay/trust/ffi/SessionNumbers.kt",
            kotlin::session_numbers(&contract),
        ),
        ("examples/swift/Sources/PulseTrust/PulseCode.swift", swift::codes(&contract)),
        ("examples/swift/Sources/PulseTrust/FrameType.swift", swift::frame_types(&contract)),
        ("examples/swift/Sources/PulseTrust/Library.swift", swift::library(&contract)),
        ("src/documentation/errors.md", errors_page::write(&contract)),
    ]
}
