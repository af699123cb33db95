#!/usr/bin/env bash
# Links a program with the cgo engine statically against musl, and runs it. A release for Alpine, or for a container without
# a C library, needs this if it uses the cgo engine; the default engine needs nothing of it.
#   examples/go/musl.sh
# Needs Go, musl-gcc (Debian's musl-tools), and Rust's standard library for musl: that of `rustup target add
# x86_64-unknown-linux-musl` if it is installed; otherwise it is built from its sources (Debian's rustc-web and
# rust-web-src), which takes a few minutes. A panic is caught by unwinding, for which gcc's own libgcc_eh needs glibc:
# LLVM's libunwind takes its place, rustup's for musl or Debian's (libunwind-19-dev, or PULSE_LIBUNWIND=FILE names another).
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
target=x86_64-unknown-linux-musl
missing() { echo "$1 is missing: $2" >&2; exit 1; }
command -v musl-gcc >/dev/null || missing musl-gcc "apt-get install musl-tools"

step() { echo "== $*"; }
step "the static library for $target"
build=(cargo rustc --lib --profile capi --no-default-features --features capi --crate-type staticlib --target "$target" --target-dir "$root/target/musl")
sysroot=$(rustc --print sysroot)
self_contained=$sysroot/lib/rustlib/$target/lib/self-contained
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ -e "$self_contained/libunwind.a" ]; then
  (cd "$root" && "${build[@]}")
  unwind=$self_contained/libunwind.a
else
  [ -d /usr/lib/rustlib/src/rust/library ] || missing "Rust's standard library for musl" "rustup target add $target, or apt-get install rustc-web rust-web-src"
  unwind=${PULSE_LIBUNWIND:-/usr/lib/llvm-19/lib/libunwind.a}
  [ -e "$unwind" ] || missing "$unwind" "apt-get install libunwind-19-dev, or name another by PULSE_LIBUNWIND"
  (cd "$root" && RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 "${build[@]}" -Zbuild-std=std,panic_unwind)
  # Debian's was compiled for glibc with _FORTIFY_SOURCE. This is the only function that it needs of glibc, for when it
  # aborts.
  cat >"$scratch/fortify.c" <<'C'
#include <stdarg.h>
#include <stdio.h>
int __fprintf_chk(FILE *file, int flag, const char *format, ...) {
    (void)flag;
    va_list arguments;
    va_start(arguments, format);
    int written = vfprintf(file, format, arguments);
    va_end(arguments);
    return written;
}
C
  musl-gcc -O2 -c "$scratch/fortify.c" -o "$scratch/fortify.o"
  unwind="$unwind $scratch/fortify.o"
fi

step "a program that is linked statically"
export CC=musl-gcc CGO_ENABLED=1 CGO_LDFLAGS="-L$root/target/musl/$target/capi"
(cd cmd && go build -tags=pulsetrust_cgo -ldflags="-linkmode external -extldflags '-static $unwind' -s -w" -o "$scratch/firstuse" ./firstuse)
needed=$(readelf -dl "$scratch/firstuse")
if grep -qE 'NEEDED|INTERP' <<<"$needed"; then
  echo "the program needs a dynamic linker" >&2
  exit 1
fi
stat -c "%s bytes" "$scratch/firstuse"

# In a root directory with nothing else in it: no C library, no files.
step "it runs without anything beside it"
run=("$scratch/firstuse")
if [ "$EUID" = 0 ]; then run=(chroot "$scratch" /firstuse); fi
said=$("${run[@]}")
echo "$said"
grep -q '^cgo ' <<<"$said" || { echo "it does not have the cgo engine" >&2; exit 1; }

step "the tests of the bindings, on musl"
# Except the one that compares texts of the operating system, which are different with musl.
go test -count=1 -tags=pulsetrust_cgo -ldflags="-linkmode external -extldflags '-static $unwind'" -skip TestRefusalsToTheLetter . ./compat
echo "all right"
