#!/usr/bin/env bash
# Three nodes on this machine with one command: a NATS server, three relays, HAProxy before them where it is installed, and the prober, which
# looks at each node and each pair of them. Everything is made for it in a temporary directory, and removed when Ctrl-C ends it.
#
#   three-nodes.sh           until Ctrl-C; the status page is at http://127.0.0.1:9464/
#   three-nodes.sh --once    one round of the prober; its table, and its status
#
# Ports: NATS 14222, nodes 18081 to 18083, HAProxy 18080. BIN names the folder of pulse-relay and pulse-prober, else target/debug or the path;
# PULSE_NATS_SERVER the server.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${BIN:-$here/../../../target/debug}
if ! [ -x "$bin/pulse-relay" ]; then
  bin=$(command -v pulse-relay)
  bin=$(dirname "$bin")
fi
scratch=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$scratch"' EXIT

wait_for() { # URL
  local _
  for _ in $(seq 100); do
    if curl -fsS -o /dev/null "$1" 2>/dev/null; then return; fi
    sleep 0.1
  done
  echo "$1 does not answer: see $scratch" >&2
  tail -n 5 "$scratch"/*.log >&2
  exit 1
}

"${PULSE_NATS_SERVER:-nats-server}" --addr 127.0.0.1 --port 14222 --http_port 14223 --jetstream --store_dir "$scratch/nats" >"$scratch/nats.log" 2>&1 &
pids+=($!)
wait_for http://127.0.0.1:14223/healthz

# The control plane's key: of this run, and trusted by these relays alone.
openssl rand -base64 32 >"$scratch/control-plane.key"
# A private key in PKCS #8 is these bytes and the seed.
printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20' >"$scratch/control-plane.der"
base64 -d "$scratch/control-plane.key" >>"$scratch/control-plane.der"
public=$(openssl pkey -inform DER -pubout -outform DER -in "$scratch/control-plane.der" | tail -c 32 | base64)

nodes=()
for number in 1 2 3; do
  port=1808$number
  PULSE_RELAY_ADDR=127.0.0.1:$port PULSE_RELAY_DATA_DIR=$scratch/node-$number \
    PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY=$public PULSE_RELAY_TRUSTED_PROXIES=127.0.0.1 \
    PULSE_RELAY_NATS_URL=nats://127.0.0.1:14222 PULSE_RELAY_NODE_URL=ws://127.0.0.1:$port/ws/instance \
    "$bin/pulse-relay" >/dev/null 2>"$scratch/node-$number.log" &
  pids+=($!)
  wait_for "http://127.0.0.1:$port/readyz"
  nodes+=(--node "node-$number=ws://127.0.0.1:$port")
done

if command -v haproxy >/dev/null; then
  sed -e '/maxconn/s/100000/1000/' -e 's|bind :443 ssl crt /etc/haproxy/relay.pem alpn http/1.1|bind 127.0.0.1:18080|' \
    -e 's|^ *server a .*|    server node-1 127.0.0.1:18081\n    server node-2 127.0.0.1:18082\n    server node-3 127.0.0.1:18083|' \
    "$here/haproxy.cfg" >"$scratch/haproxy.cfg"
  haproxy -db -f "$scratch/haproxy.cfg" >"$scratch/haproxy.log" 2>&1 &
  pids+=($!)
  wait_for http://127.0.0.1:18080/readyz
  nodes+=(--node proxy=ws://127.0.0.1:18080)
fi

if [ "${1:-}" = --once ]; then
  "$bin/pulse-prober" --once --signing-key-file "$scratch/control-plane.key" "${nodes[@]}"
else
  echo "three nodes run; the files are in $scratch"
  "$bin/pulse-prober" --interval 5 --signing-key-file "$scratch/control-plane.key" "${nodes[@]}"
fi
