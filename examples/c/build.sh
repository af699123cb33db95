#!/usr/bin/env bash
# Builds the C library, shared and static, into target/capi. Its bytes depend on the sources, the compiler and the linker,
# but not on the folder, the user or the time, so anybody can build it again and compare (.ci/checks/reproducible does).
set -euo pipefail
cd "$(dirname "$0")/../.."
home=${CARGO_HOME:-$HOME/.cargo}
# Panic messages name source files, under these names wherever the sources are. Encoded flags allow spaces in paths.
CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$PWD=pulse-trust"$'\x1f'"--remap-path-prefix=$home=cargo"
export CARGO_ENCODED_RUSTFLAGS
cargo rustc --locked --lib --profile capi --no-default-features --features capi --crate-type cdylib,staticlib --target-dir target
