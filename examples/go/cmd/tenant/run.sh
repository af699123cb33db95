#!/usr/bin/env bash
# Starts a relay and a fresh tenant that trust one another, prints "PAIRING pulse://..." once a phone can pair, and
# serves until SIGTERM. Needs target/release/pulse-relay and Go. PULSE_RELAY_ADDR: where the relay listens (default
# 127.0.0.1, a free port). GOFLAGS=-tags=pulsetrust_cgo: the tenant through cgo, with target/capi/libpulse_trust.a.
set -euo pipefail
cd "$(dirname "$0")/.."
relay=$PWD/../../../target/release/pulse-relay
[ -x "$relay" ] || { echo "no $relay: cargo build --release -p pulse-relay" >&2; exit 1; }
folder=$(mktemp -d)
started=()
# shellcheck disable=SC2317 # The trap calls it.
finish() {
  trap - EXIT
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
  for process in "${started[@]}"; do wait "$process" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT

# Waits for the first match of a pattern in a file while the process that writes the file is alive.
await() { # file process pattern
  local found
  for _ in $(seq 600); do
    found=$(sed -nE "s|$3|\1|p" "$1" | head -n 1)
    if [ -n "$found" ]; then echo "$found"; return; fi
    if ! kill -0 "$2" 2>/dev/null; then break; fi
    sleep 0.1
  done
  echo "no $3 in $(basename "$1"):" >&2
  cat "$1" >&2
  return 1
}

go build -o "$folder/tenant" ./tenant
mkfifo "$folder/input"
touch "$folder/events" "$folder/relay.out"
"$folder/tenant" --data-dir "$folder/data" --provision <"$folder/input" >"$folder/events" &
tenant=$!; started+=("$tenant")
exec 3>"$folder/input"
key=$(await "$folder/events" "$tenant" '.*"lease_public_key":"([^"]+)".*')

PULSE_TRIAL_ACTIVATION_PUBLIC_KEY=$key PULSE_RELAY_DATA_DIR=$folder/relay PULSE_RELAY_ADDR=${PULSE_RELAY_ADDR:-127.0.0.1:0} \
  "$relay" >"$folder/relay.out" 3>&- &
started+=("$!")
address=$(await "$folder/relay.out" "$!" '^listening on (.*)$')
echo "ws://$address/ws/instance" >&3
exec 3>&-
code=$(await "$folder/events" "$tenant" '.*"pairing_code":"([^"]+)".*')
echo "PAIRING $code"
wait -n "${started[@]}" || true
echo "the relay or the tenant ended:" >&2
cat "$folder/events" >&2
exit 1
