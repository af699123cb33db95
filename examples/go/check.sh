#!/usr/bin/env bash
# Checks the Go package from nothing: generated code, format, vet, every test on both engines, on 32 bits too, builds for
# all that Pulse is released for, and the tenant beside a real relay. Needs Go, a C compiler, target/capi and target/release.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD/../..
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
step() { echo "== $*"; }
missing() { echo "$1 is missing: $2" >&2; exit 1; }

step needs
command -v go >/dev/null || missing go "https://go.dev/dl/"
command -v cc >/dev/null || missing "a C compiler" "apt-get install gcc libc6-dev"
[ -f "$root/target/capi/libpulse_trust.a" ] ||
  missing target/capi/libpulse_trust.a "cargo rustc --lib --profile capi --features capi --crate-type staticlib"
[ -x "$root/target/release/pulse-relay" ] || missing target/release/pulse-relay "cargo build --release -p pulse-relay"

step generated code
mkdir -p "$scratch/generated/internal/engine"
go run ./internal/generate "$root/include/pulse_trust.h" "$scratch/generated"
for file in codes.go internal/engine/calls_cgo.go internal/engine/calls_wazero.go; do
  diff -u "$file" "$scratch/generated/$file" || { echo "$file is outdated: go generate ./..." >&2; exit 1; }
done

step format, modules, vet
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "gofmt -w $unformatted" >&2; exit 1; }
go mod tidy -diff
go mod verify
CGO_ENABLED=1 go vet ./...
CGO_ENABLED=0 go vet ./...

step tests through cgo, with the race detector
GODEBUG=cgocheck=1 CGO_ENABLED=1 go test -count=1 -race ./...

step tests through WebAssembly
CGO_ENABLED=0 go test -count=1 ./...

# An amd64 kernel runs 386 programs; wazero interprets there.
if [ "$(go env GOHOSTARCH)" = amd64 ]; then
  step tests on 32 bits
  CGO_ENABLED=0 GOARCH=386 go test -count=1 -short ./...
fi

step builds without cgo
for platform in amd64 arm64 386 arm/6 arm/7; do
  export CGO_ENABLED=0 GOOS=linux GOARCH=${platform%/*}
  case $platform in arm/*) export GOARM=${platform#*/} ;; *) unset GOARM ;; esac
  go build ./...
  go build -o "$scratch/tenant" ./cmd/tenant
  echo "linux/$platform: $(stat -c %s "$scratch/tenant") bytes"
done
unset CGO_ENABLED GOOS GOARCH GOARM

step the tenant beside a relay
cmd/tenant/run.sh >"$scratch/pairing" 2>"$scratch/log" &
running=$!
for _ in $(seq 600); do
  grep -q '^PAIRING pulse://connect?' "$scratch/pairing" && break
  kill -0 "$running" 2>/dev/null || break
  sleep 0.1
done
kill -TERM "$running" 2>/dev/null || true
wait "$running" || { cat "$scratch/log" >&2; exit 1; }
grep -q '^PAIRING pulse://connect?' "$scratch/pairing" || { cat "$scratch/log" >&2; exit 1; }

echo "all right"
