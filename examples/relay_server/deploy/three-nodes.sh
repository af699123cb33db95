#!/usr/bin/env bash
# Three nodes on this machine with one command: a NATS server, three relays, HAProxy in front of them if it is installed, and
# the prober, which probes each node and each pair of them. Everything is made in a temporary directory, and removed when Ctrl-C
# ends it.
#
#   three-nodes.sh           until Ctrl-C; the status page is at http://127.0.0.1:9464/
#   three-nodes.sh --once    one round of the prober; its table, and its status
#
# Ports: NATS 14222, nodes 18081 to 18083, HAProxy 18080. BIN names the folder of pulse-relay and pulse-prober (otherwise
# target/debug or PATH), PULSE_NATS_SERVER the server.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() {
  echo "three-nodes.sh: $*" >&2
  exit 1
}
case "$#:${1:-}" in
  0: | 1:--once) ;;
  *) fail "expected no argument, or --once; received: $*" ;;
esac
bin=${BIN:-$here/../../../target/debug}
if ! [ -x "$bin/pulse-relay" ]; then
  bin=$(command -v pulse-relay) || fail "there is no pulse-relay in $bin or in the path: build it (cargo build -p pulse-relay -p pulse-prober), or name its folder in BIN"
  bin=$(dirname "$bin")
fi
[ -x "$bin/pulse-prober" ] || fail "there is no pulse-prober in $bin: build it too (cargo build -p pulse-prober)"
nats=${PULSE_NATS_SERVER:-nats-server}
command -v "$nats" >/dev/null || fail "there is no $nats: install nats-server, or name it in PULSE_NATS_SERVER"
for port in 14222 14223 18080 18081 18082 18083; do
  if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "port $port is taken: is another three-nodes.sh running?"; fi
done
scratch=$(mktemp -d)
pids=()
# A failure leaves the files, so that the logs can be read.
end() {
  local status=$?
  kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  [ "$status" = 1 ] || rm -rf "$scratch"
}
trap end EXIT
# Bash waits for a program in the foreground before it heeds a signal; `wait` below does not.
trap 'exit 143' TERM
trap 'exit 130' INT

# Waits until what was started last answers, or has ended.
wait_for() { # URL
  local _
  for _ in $(seq 100); do
    if curl -fsS -o /dev/null "$1" 2>/dev/null; then return; fi
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 "$scratch"/*.log >&2
  fail "$1 does not answer: the logs are in $scratch"
}

"$nats" --addr 127.0.0.1 --port 14222 --http_port 14223 --jetstream --store_dir "$scratch/nats" >"$scratch/nats.log" 2>&1 &
pids+=($!)
wait_for http://127.0.0.1:14223/healthz

# The control plane's key, made for this run and trusted only by these relays.
openssl rand -base64 32 >"$scratch/control-plane.key"
# A private key in PKCS #8 is these bytes and the seed.
printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20' >"$scratch/control-plane.der"
base64 -d "$scratch/control-plane.key" >>"$scratch/control-plane.der"
public=$(openssl pkey -inform DER -pubout -outform DER -in "$scratch/control-plane.der" | tail -c 32 | base64)

# Every node lists the names of all nodes: an instance that one node sends to another proves its identity for the other's
# name.
hosts=127.0.0.1:18080,127.0.0.1:18081,127.0.0.1:18082,127.0.0.1:18083
nodes=()
for number in 1 2 3; do
  port=1808$number
  PULSE_RELAY_ADDR=127.0.0.1:$port PULSE_RELAY_DATA_DIR=$scratch/node-$number \
    PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY=$public PULSE_RELAY_TRUSTED_PROXIES=127.0.0.1 \
    PULSE_RELAY_PUBLIC_HOSTS=$hosts \
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

how=(--once)
if [ "$#" = 0 ]; then
  echo "three nodes run; the files are in $scratch"
  how=(--interval 5)
fi
"$bin/pulse-prober" "${how[@]}" --signing-key-file "$scratch/control-plane.key" "${nodes[@]}" &
pids+=($!)
wait "${pids[-1]}"
