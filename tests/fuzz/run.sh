#!/usr/bin/env bash
# Fuzzes every target, or the named ones, for some seconds each: tests/fuzz/run.sh [SECONDS [TARGET...]]. It starts from the
# committed corpus and from what the deployed Go code made. PULSE_TRUST_CORPUS=DIRECTORY keeps what it finds. The table at
# its end has the executions of each target, and their sum. The input of a crash is left in target/fuzz: fix the bug, and
# commit the input to corpus/TARGET, which `cargo test` runs. It needs no nightly compiler: stable rustc can instrument for
# coverage. Memory errors are left to other checks, because the library has no unsafe code outside of src/ffi.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-20}
targets=(token claims pairing_code deep_link frames files relay_enc key_file sessions c_calls)
if [ $# -gt 1 ]; then targets=("${@:2}"); fi
triple=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --locked --release --target "$triple" --target-dir ../../target/fuzz

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 seeds.py "$scratch/seeds" ../vectors/deployed
found=${PULSE_TRUST_CORPUS:-$scratch/found}
all=0
whole=$SECONDS
rows=
for target in "${targets[@]}"; do
  mkdir -p "$found/$target" "$scratch/seeds/$target" "corpus/$target"
  if ! "../../target/fuzz/$triple/release/$target" -max_total_time="$seconds" -max_len=20000 -timeout=5 \
    -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="../../target/fuzz/$target-" \
    "$found/$target" "$scratch/seeds/$target" "corpus/$target" >"$scratch/log" 2>&1; then
    tail -n 40 "$scratch/log" >&2
    echo "$target failed: its input is in target/fuzz" >&2
    exit 1
  fi
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
  a_second=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$scratch/log")
  # The inputs that reach what no other one reaches.
  corpus=$(sed -nE 's/^#[0-9]+[[:space:]]+DONE .* corp: ([0-9]+)\/.*/\1/p' "$scratch/log")
  [ "$executions" -ge 100 ] || { echo "$target ran '$executions' inputs: expected at least 100" >&2; exit 1; }
  [ "$corpus" -ge 1 ] || { echo "$target has '$corpus' inputs in its corpus: expected at least one" >&2; exit 1; }
  echo "$target: $executions inputs in $seconds s"
  rows+=$(printf '| %s | %s | %s | %s |' "$target" "$executions" "$a_second" "$corpus")$'\n'
  all=$((all + executions))
done
whole=$((SECONDS - whole))
printf '\n| target | executions | a second | corpus |\n|---|---:|---:|---:|\n%s| **all %s** | %s | %s | |\n' \
  "$rows" "${#targets[@]}" "$all" "$((all / (whole > 0 ? whole : 1)))"
