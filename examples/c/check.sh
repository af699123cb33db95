#!/usr/bin/env bash
# Installs the library with cargo-c into a prefix, builds the example against it with pkg-config, as C11 and as a user
# would, and runs it under valgrind: 0 errors, 0 bytes lost.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in valgrind pkg-config cc; do
  command -v $tool >/dev/null || { echo "examples/c needs $tool" >&2; exit 1; }
done
if ! cargo cinstall --version >/dev/null 2>&1; then
  echo "cargo-c is missing: cargo install --debug cargo-c --version 0.10.24+cargo-0.98.0 --locked" >&2
  exit 1
fi
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
# With its symbols, so that valgrind can say whose memory it is.
CARGO_PROFILE_CAPI_STRIP=none cargo cinstall -p pulse-trust --profile capi --no-default-features --prefix "$prefix" --libdir "$prefix/lib" --includedir "$prefix/include" --features capi
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
dynamic=$(readelf -d "$prefix/lib/libpulse_trust.so")
grep 'SONAME.*libpulse_trust\.so\.0' <<<"$dynamic" || { echo "no SONAME libpulse_trust.so.0" >&2; exit 1; }
size=$(stat -L -c %s "$prefix/lib/libpulse_trust.so")
strip -o "$prefix/stripped.so" "$prefix/lib/libpulse_trust.so"
stripped=$(stat -c %s "$prefix/stripped.so")
echo "shared library: $size bytes, stripped $stripped"
[ "$stripped" -le $((1404 * 1024)) ] || { echo "over 1404 KiB" >&2; exit 1; }
flags=$(pkg-config --cflags --libs pulse_trust)
read -ra flags <<<"$flags"
cc -std=c11 -Wall -Wextra -Werror -pedantic -g examples/c/tenant.c "${flags[@]}" -o "$prefix/tenant"
mkdir "$prefix/data"
LD_LIBRARY_PATH=$prefix/lib valgrind --quiet --suppressions=examples/c/valgrind.supp --error-exitcode=9 --leak-check=full --show-leak-kinds=all \
  --errors-for-leak-kinds=all "$prefix/tenant" "$prefix/data"
for file in .encryption.key billing.json relay.enc; do
  [ -s "$prefix/data/$file" ] || { echo "the tenant did not write $file" >&2; exit 1; }
done
# Linked statically, as the README says: the program runs even if no shared library is found.
include=$(pkg-config --cflags pulse_trust)
system=$(pkg-config --static --libs-only-l pulse_trust)
read -ra include <<<"$include"
read -ra system <<<"${system//-lpulse_trust/}"
cc -std=c11 examples/c/tenant.c "${include[@]}" "$prefix/lib/libpulse_trust.a" "${system[@]}" -o "$prefix/static"
if ldd "$prefix/static" | grep pulse_trust; then echo "the static program needs the shared library" >&2; exit 1; fi
mkdir "$prefix/static-data"
"$prefix/static" "$prefix/static-data" >"$prefix/static.out"
grep -q '^channel    the instance reads: GET /api/status' "$prefix/static.out" || { cat "$prefix/static.out" >&2; exit 1; }
# What a call, a million values and many threads cost; here a tenth of each.
cc -std=c11 -O2 -Wall -Wextra -Werror -pedantic examples/c/soak.c "${flags[@]}" -pthread -o "$prefix/soak"
LD_LIBRARY_PATH=$prefix/lib "$prefix/soak" 100000 10000
