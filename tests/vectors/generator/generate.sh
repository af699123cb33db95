#!/usr/bin/env bash
# Makes the deployed vectors: generate.sh CHECKOUT OUT [SEED]
#
# CHECKOUT is a clone of the public Pulse runtime, at the version that README.md names. The five Go files beside this script
# are copied into it as tests, run there, and removed again. OUT must not exist or be empty; it then holds the files of
# tests/vectors/deployed, except their README.md. SEED picks the throw-away keys: 1, the default, those of the committed
# vectors.
set -euo pipefail

expected=c313a80da # v6.3.0
if [ $# -lt 2 ] || [ $# -gt 3 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
present=$(ls -A "$out")
if [ -n "$present" ]; then
  echo "$out is not empty: name a new folder, and compare it with tests/vectors/deployed" >&2
  exit 2
fi
if ! grep -qx 'module github.com/rcourtman/pulse-go-rewrite' "$checkout/go.mod" 2>/dev/null; then
  echo "$checkout is not a clone of github.com/rcourtman/Pulse" >&2
  exit 2
fi
found=$(git -C "$checkout" rev-parse --short=9 HEAD)
[ "$found" = "$expected" ] || echo "note: the checkout is at $found; the committed vectors were made at $expected" >&2

# What each file is copied to. It needs the unexported functions of its package.
declare -A packages=(
  [licensing]=pkg/licensing
  [relay]=internal/relay
  [entitlements]=internal/cloudcp/entitlements
  [config]=internal/config
  [api]=internal/api
)
# The package internal/api embeds the built web interface; if its page is missing, a placeholder takes its place.
page=$checkout/internal/api/frontend-modern/dist/index.html
made_page=
cleanup() {
  for name in "${!packages[@]}"; do rm -f "$checkout/${packages[$name]}/zz_vecgen_test.go"; done
  if [ -n "$made_page" ]; then rm -f "$page"; fi
}
trap cleanup EXIT
for name in "${!packages[@]}"; do
  cp "$here/${name}_vecgen_test.go" "$checkout/${packages[$name]}/zz_vecgen_test.go"
done
if [ ! -e "$page" ]; then
  mkdir -p "$(dirname "$page")"
  made_page=yes
  echo '<html></html>' >"$page"
fi

cd "$checkout"
VEC_OUT=$out VEC_SEED=${3:-1} go test -count=1 -run TestVecgen \
  ./pkg/licensing/ ./internal/relay/ ./internal/cloudcp/entitlements/ ./internal/config/ ./internal/api/
