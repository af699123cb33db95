#!/usr/bin/env bash
# Builds the C library, shared and static, into target/capi. Its bytes depend on the sources, the compiler and the linker,
# and on no folder, user or time: whoever builds it again can compare (.ci/checks/reproducible does).
set -euo pipefail
cd "$(dirname "$0")/../.."
home=${CARGO_HOME:-$HOME/.cargo}
# Messages of panics name source files: by these names wherever they are. Encoded flags may have spaces in their paths.
CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$PWD=pulse-trust"$'\x1f'"--remap-path-prefix=$home=cargo"
export CARGO_ENCODED_RUSTFLAGS
cargo rustc --locked --lib --profile capi --no-default-features --features capi --crate-type cdylib,staticlib --target-dir target
