#!/usr/bin/env bash
# What can be checked without a Swift toolchain: the module map (by clang), and the Swift sources' syntax and calls (by
# tree-sitter, against the header). If there is a toolchain, the package is built and tested too.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
command -v clang >/dev/null || { apt-get update -q && apt-get install -q -y --no-install-recommends clang; }
command -v python3 >/dev/null || { echo "examples/swift needs python3" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "== the module map"
module() { # map file...
  clang -fmodules -fmodules-cache-path="$scratch/modules" -fno-implicit-module-maps -fmodule-map-file="$1" -fsyntax-only -Wall -Wextra -Werror "${@:2}"
}
for map in "$root/include/PulseTrust/module.modulemap" Sources/CPulseTrust/module.modulemap; do
  module "$map" check/import.m
  module "$map" -std=c11 check/import.c
done
# Without the map the same must fail, or the test proves nothing.
echo 'module Other {}' > "$scratch/other.modulemap"
# shellcheck disable=SC2310 # The failure is what is looked for.
if module "$scratch/other.modulemap" check/import.m 2>/dev/null; then echo "it imports without the module map" >&2; exit 1; fi

echo "== Swift's syntax and calls"
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install -q --disable-pip-version-check tree-sitter==0.25.2 tree-sitter-swift==0.7.4
"$scratch/venv/bin/python" check/calls.py . "$root/include/pulse_trust.contract.json"
bash -n build-xcframework.sh

if command -v swift >/dev/null; then
  echo "== build and tests"
  system=$(uname)
  [ "$system" = Linux ] || ./build-xcframework.sh
  swift test -Xlinker "-L$root/target/capi"
else
  echo "== no Swift toolchain: the package was NOT compiled and NOT run"
fi
