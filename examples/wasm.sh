#!/usr/bin/env bash
# Builds the WebAssembly that the Go and TypeScript packages embed, into the path given or target/pulse_trust.wasm. With
# rustup: `rustup target add wasm32-unknown-unknown` is enough; on Debian: rustc-web, rust-web-src, lld-19.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-target/pulse_trust.wasm}
# Small rather than fast, but for the curve and the hash, which a verification is made of.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_STRIP=${STRIP:-symbols} CARGO_PROFILE_RELEASE_PANIC=abort
for fast in curve25519-dalek sha2 aes ghash polyval; do
  settings+=(--config "profile.release.package.$fast.opt-level=3")
done
target=wasm32-unknown-unknown
build=(rustc --lib --release --features capi --crate-type cdylib --target "$target" --target-dir target/wasm "${settings[@]}")
if [ -x /usr/bin/rustc ] && [ -d /usr/lib/rustlib/$target ] || [ -n "${PULSE_DEBIAN_WASM:-}" ]; then
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19 \
    cargo "${build[@]}" -Zbuild-std=std,panic_abort
else
  cargo "${build[@]}"
fi
cp "target/wasm/$target/release/pulse_trust.wasm" "$out"
ls -l "$out"
