#!/usr/bin/env bash
# Checks the Go package from scratch: format, vet, every test on both engines, also on 32 bits and with the oldest Go,
# builds for every platform that Pulse is released for, and the tenant with a real relay. Needs Go, a C compiler,
# target/capi and target/release. `cargo test -p pulse-contract` checks that the generated code is current.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD/../..
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
step() { echo "== $*"; }
missing() { echo "$1 is missing: $2" >&2; exit 1; }
modules=(. cmd)

step needs
command -v go >/dev/null || missing go "https://go.dev/dl/"
command -v cc >/dev/null || missing "a C compiler" "apt-get install gcc libc6-dev"
[ -f "$root/target/capi/libpulse_trust.a" ] ||
  missing target/capi/libpulse_trust.a "cargo rustc --lib --profile capi --features capi --crate-type staticlib"
[ -x "$root/target/release/pulse-relay" ] || missing target/release/pulse-relay "cargo build --release -p pulse-relay"

step format, modules, vet
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "gofmt -w $unformatted" >&2; exit 1; }
for module in "${modules[@]}"; do
  (cd "$module" && go mod tidy -diff && go mod verify && go vet ./... && go vet -tags=pulsetrust_cgo ./...)
done

step "a user's module graph: Go's own module of system calls"
needed=$(go list -m -f '{{if not .Main}}{{.Path}}{{end}}' all | sort)
[ "$needed" = golang.org/x/sys ] || { echo "$needed" >&2; exit 1; }

step without a C compiler
# As for a user who fetched the module: nothing but the default engine, and no file that would need a C compiler.
go=$(command -v go)
PATH=${go%/*} CC=/nowhere CGO_ENABLED=0 go build ./...
with_cgo=$(go list -f '{{if .CgoFiles}}{{.ImportPath}}{{end}}' ./...)
[ -z "$with_cgo" ] || { echo "cgo files without the tag" >&2; exit 1; }
# The build tag without cgo must say what is wrong.
if said=$(CGO_ENABLED=0 go build -tags=pulsetrust_cgo ./internal/engine 2>&1); then echo "it builds without an engine" >&2; exit 1; fi
grep -q pulsetrust_cgo_needs_CGO_ENABLED_1 <<<"$said" || { echo "$said" >&2; exit 1; }

step the module as it is fetched, with cgo too
# Alone in a folder, as `go get` leaves it: nothing above it may be needed but the static library, which the user names.
cp -r . "$scratch/fetched"
(
  cd "$scratch/fetched"
  CGO_ENABLED=0 go build .
  CGO_LDFLAGS="-L$root/target/capi" go build -tags=pulsetrust_cgo .
  CGO_LDFLAGS="-L$root/target/capi" go test -count=1 -tags=pulsetrust_cgo -run '^Example' .
)

# The version that go.mod names is the oldest that the dependencies allow; its toolchain comes through the module proxy.
oldest=$(go list -m -f '{{.GoVersion}}')
step "tests with go$oldest, the oldest"
(export GOTOOLCHAIN=go$oldest && go version && go vet ./... && go test -count=1 -short ./...)

step tests through WebAssembly
for module in "${modules[@]}"; do (cd "$module" && go test -count=1 ./...); done

# The race detector sees only Go's memory, and makes WebAssembly ten times as slow. So here it runs the parts of this engine
# that goroutines share, and below everything else with the other engine, whose callers are the same code.
step "what goroutines share in WebAssembly, with the race detector"
go test -count=1 -race ./internal/engine
go test -count=1 -race -short -run 'TestManyGoroutines|TestOneVerifierUnderLoad|TestASessionRuns|TestARefresh' .

step tests through cgo, with the race detector
for module in "${modules[@]}"; do (cd "$module" && GODEBUG=cgocheck=1 go test -tags=pulsetrust_cgo -count=1 -race ./...); done

# An amd64 kernel runs 386 programs.
architecture=$(go env GOHOSTARCH)
if [ "$architecture" = amd64 ]; then
  step tests on 32 bits
  CGO_ENABLED=0 GOARCH=386 go test -count=1 -short ./...
fi

step builds without cgo
for platform in linux/amd64 linux/arm64 linux/386 linux/arm/6 linux/arm/7 darwin/amd64 darwin/arm64 freebsd/amd64 windows/amd64 windows/arm64; do
  IFS=/ read -r os arch arm <<<"$platform"
  export CGO_ENABLED=0 GOOS=$os GOARCH=$arch
  if [ -n "$arm" ]; then export GOARM=$arm; else unset GOARM; fi
  # Programs that are only built need not be fast: without optimization the 120,000 lines compile in a third of the time.
  case $platform in
    linux/amd64 | linux/386) unset GOFLAGS ;;
    *) export GOFLAGS=-gcflags=github.com/rcourtman/pulse-trust/examples/go/internal/machine=-N ;;
  esac
  go vet ./...
  (cd cmd && go build -o "$scratch/firstuse" ./firstuse)
  if [ "$os" = linux ]; then (cd cmd && go build -o "$scratch/tenant" ./tenant); fi
  stat -c "$platform: %s bytes" "$scratch/firstuse"
done
unset CGO_ENABLED GOOS GOARCH GOARM GOFLAGS

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
