#!/usr/bin/env bash
# Builds the WebAssembly for TypeScript, writes a hash of everything that it was made from beside it, and translates it for Go.
#   examples/wasm.sh          builds (Debian's rustc-web, rust-web-src, lld-19, binaryen; Go)
#   examples/wasm.sh --check-sources   the first half of --check, which needs nothing
#   examples/wasm.sh --check  says whether what is committed was made of the sources as they are (Go)
# Elsewhere, `rustup target add wasm32-unknown-unknown` and `cargo rustc --lib --release --no-default-features
# --features capi --crate-type cdylib --target wasm32-unknown-unknown` give the same functions, in a larger file.
set -euo pipefail
cd "$(dirname "$0")/.."
name=pulse_trust.wasm
folder=examples/typescript
translated=examples/go/internal/machine/machine.go

made_of() {
  git ls-files -- src ':!src/documentation' Cargo.toml Cargo.lock .cargo examples/wasm.sh | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1
}

# With -unsafe an address is compared with the memory's length once, and then read as a whole: a lease takes a quarter less
# time. Every access is still checked.
translate() { # wasm
  go run github.com/ncruces/wasm2go@v0.4.21 -pkg machine -tags '!pulsetrust_cgo' -unsafe "$1"
}

if [[ ${1:-} = --check* ]]; then
  now=$(made_of)
  committed=$(cat "$folder/$name.made-of")
  [ "$committed" = "$now" ] || { echo "$folder/$name is outdated: run examples/wasm.sh" >&2; exit 1; }
  [ "$1" = --check ] || exit 0
  mkdir -p target
  translate "$folder/$name" >target/machine.go
  cmp target/machine.go $translated || { echo "$translated is not $name translated: run examples/wasm.sh" >&2; exit 1; }
  stat -c '%n is current, %s bytes' "$folder/$name" $translated
  exit
fi

target=wasm32-unknown-unknown
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
# At most 1 GiB of memory, enough for some hundred thousand tokens that nobody closed: the library must not fill its host.
# Small: no panic messages, no source locations, no Debug, and the compact forms of AES and SHA-2. Only the curve, which
# dominates a verification, is built for speed.
export RUSTFLAGS='--cfg getrandom_backend="custom" --cfg sha2_backend_soft="compact" --cfg aes_backend_soft="compact"
  -Zlocation-detail=none -Zfmt-debug=none -Cpanic=immediate-abort -Zunstable-options -Clink-arg=--max-memory=1073741824'
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_STRIP=symbols CARGO_PROFILE_RELEASE_PANIC=immediate-abort
cargo rustc -Zpanic-immediate-abort --lib --release --no-default-features --features capi --crate-type cdylib \
  --target $target --target-dir target/wasm -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size \
  --config profile.release.package.curve25519-dalek.opt-level=2 --config 'profile.release.package.sha2.opt-level="s"'
# Nothing is placed below 1024; the stack comes first, and is 1 MiB.
wasm-opt --low-memory-unused -Oz --flatten --rereloop -Oz --merge-similar-functions -Oz --strip-debug \
  --strip-producers --enable-bulk-memory --enable-sign-ext --enable-mutable-globals \
  --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types \
  "target/wasm/$target/release/$name" -o "target/$name"
size=$(stat -c %s "target/$name")
[ "$size" -le $((612 * 1024)) ] || { echo "$name is larger than 612 KiB" >&2; exit 1; }
cp "target/$name" "$folder/$name"
made_of > "$folder/$name.made-of"
mkdir -p "$(dirname $translated)"
translate "$folder/$name" > $translated
ls -l "$folder/$name" $translated
