#!/usr/bin/env bash
# Whether secrets decide what the processor does: comparisons, signing, the key exchange, sealing and unsealing. Needs
# valgrind, on x86-64.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v valgrind >/dev/null || { echo "tests/constant_time needs valgrind: apt-get install valgrind" >&2; exit 1; }
target=${CARGO_TARGET_DIR:-target}
# Optimized as a release, with the names of functions for the reports.
CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  cargo build --release -p pulse-constant-time --target-dir "$target/constant-time"
reports=$(mktemp)
trap 'rm -f "$reports"' EXIT
valgrind --quiet --track-origins=yes --log-file="$reports" "$target/constant-time/release/pulse-constant-time" || {
  cat "$reports" >&2
  exit 1
}
