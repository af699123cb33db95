#!/usr/bin/env bash
# Fuzzes every target for some seconds each: tests/fuzz/run.sh [SECONDS]. It needs no nightly compiler: coverage is what
# stable rustc can instrument, and there is no sanitizer, as the library has no unsafe code outside of src/ffi.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-20}
triple=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --locked --release --target "$triple" --target-dir ../../target/fuzz
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
# What the deployed Go code made is where fuzzing begins.
python3 - "$corpus" ../vectors/deployed <<'PYTHON'
import base64, json, pathlib, sys
corpus, vectors = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
def put(target, content):
    folder = corpus / target
    folder.mkdir(exist_ok=True)
    (folder / str(len(list(folder.iterdir())))).write_bytes(content)
def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
for file in sorted(vectors.rglob("*.json")):
    for text in texts(json.loads(file.read_text())):
        if text.count(".") == 2 and text.startswith("ey"):
            put("token", text.encode())
            segment = text.split(".")[1]
            try:
                put("claims", base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
            except ValueError:
                pass
        elif text.startswith(("pulse://", "{")):
            put("pairing_code", text.encode())
        elif text.startswith("01") and len(text) % 2 == 0:
            try:
                put("frames", bytes.fromhex(text))
            except ValueError:
                pass
for index, name in enumerate(["relay.enc", "billing.json", "license.enc", ".encryption.key"]):
    for file in sorted(vectors.rglob(name)):
        put("files", bytes([index]) + file.read_bytes())
for target in ["token", "claims", "pairing_code", "frames", "files"]:
    print(f"{target}: {len(list((corpus / target).iterdir()))} seeds")
PYTHON
for target in token claims pairing_code frames files; do
  echo "== $target, $seconds s"
  "../../target/fuzz/$triple/release/$target" -max_total_time="$seconds" -max_len=20000 -timeout=5 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="../../target/fuzz/" "$corpus/$target" 2>&1 | tee "$corpus/log" |
    grep -E 'stat::number_of_executed_units|ERROR|panicked|Test unit|^#[0-9]+.*INITED' || true
  [ "${PIPESTATUS[0]}" = 0 ] || { tail -40 "$corpus/log" >&2; exit 1; }
done
