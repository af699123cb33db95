#!/usr/bin/env bash
# Everything from scratch: build and tests, the README's quickstart, and a phone that pairs with the Go tenant through the
# Rust relay. Needs a JDK 17 or later and Maven (installed with apt-get if missing), Go, target/capi/libpulse_trust.so and
# target/release/pulse-relay.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
export PULSE_TRUST_LIBRARY=$root/target/capi
[ -f "$PULSE_TRUST_LIBRARY/libpulse_trust.so" ] ||
  { echo "no target/capi/libpulse_trust.so: cargo rustc --lib --profile capi --features capi --crate-type cdylib" >&2; exit 1; }
[ -x "$root/target/release/pulse-relay" ] || { echo "no pulse-relay: cargo build --release -p pulse-relay" >&2; exit 1; }
command -v go >/dev/null || { echo "examples/kotlin needs go for the tenant" >&2; exit 1; }
if ! command -v mvn >/dev/null || ! command -v javac >/dev/null; then
  apt-get update -q && apt-get install -q -y --no-install-recommends openjdk-17-jdk-headless maven
fi
scratch=$(mktemp -d)
serving=
finish() {
  trap - EXIT
  if [ -n "$serving" ]; then kill "$serving" 2>/dev/null || true; wait "$serving" 2>/dev/null || true; fi
  rm -rf "$scratch"
}
trap finish EXIT

echo "== build and tests"
mvn -q -B clean test -Djna.library.path="$PULSE_TRUST_LIBRARY"
sed -nE 's/.*<testsuite .* name="([^"]*)".* tests="([0-9]+)".* skipped="([0-9]+)".*/\1 \2 \3/p' target/surefire-reports/TEST-*.xml |
  awk '{ tests += $2; skipped += $3 } END { print tests " tests, " skipped " skipped"; exit tests < 100 || skipped > 0 }'

echo "== what Maven Central asks for, and the library inside the jar"
machine=$(uname -m)
case $machine in
  x86_64) platform=linux-x86-64 ;;
  aarch64) platform=linux-aarch64 ;;
  *) echo "JNA's name for $machine is not written here" >&2; exit 1 ;;
esac
mkdir -p "$scratch/native/$platform"
cp "$PULSE_TRUST_LIBRARY/libpulse_trust.so" "$scratch/native/$platform/"
mvn -q -B package -DskipTests -Dnative.directory="$scratch/native"
jar=target/pulse-trust-0.1.0
for file in $jar.jar $jar-sources.jar $jar-javadoc.jar; do [ -s "$file" ] || { echo "no $file" >&2; exit 1; }; done
jar tf $jar.jar | grep -qx "$platform/libpulse_trust.so" || { echo "the jar holds no library" >&2; exit 1; }
jar tf $jar-sources.jar | grep -q 'PairingCode\.kt$' || { echo "the sources are not in their jar" >&2; exit 1; }
for element in name description url licenses developers scm; do
  grep -q "^  <$element>" pom.xml || { echo "pom.xml has no <$element>" >&2; exit 1; }
done
# The library must be found in the jar: nothing else says where it is.
printf 'pulse://connect?x=1' | java -cp "$jar.jar:target/test-classes:$(cat target/classpath)" io.pulserelay.phone.MainKt 2>&1 | tee "$scratch/jar" || true
grep -q '^refused 60' "$scratch/jar" || { echo "the library in the jar was not used" >&2; exit 1; }

echo "== the README's quickstart"
mkdir "$scratch/quickstart"
ln -s "$root" "$scratch/quickstart/pulse-trust"
# Without the clone, which is this checkout, and without building the library, which already exists.
awk '/^```sh quickstart$/ { on = 1; next } /^```$/ { on = 0 } on' README.md | grep -vE '^(git clone|cargo rustc) ' > "$scratch/quickstart/run.sh"
(cd "$scratch/quickstart" && bash -euo pipefail run.sh) | tee "$scratch/quickstart/out"
grep -qE 'compare: ([0-9A-F]{2}:){31}[0-9A-F]{2}$' "$scratch/quickstart/out"
grep -q 'refused: 605 PAIRING_INSECURE_URL$' "$scratch/quickstart/out"

echo "== a phone, the relay and the tenant"
../go/cmd/tenant/run.sh > "$scratch/pairing" 2> "$scratch/serving.log" &
serving=$!
for _ in $(seq 600); do
  if grep -q '^PAIRING ' "$scratch/pairing"; then break; fi
  kill -0 "$serving" 2>/dev/null || break
  sleep 0.2
done
code=$(sed -n 's/^PAIRING //p' "$scratch/pairing")
[ -n "$code" ] || { echo "no pairing code:" >&2; cat "$scratch/serving.log" >&2; exit 1; }

# What the phone says about a code, and with which exit status.
phone() { # status expected code [path]
  local got=0 said
  said=$(printf %s "$3" | timeout 60 ./phone.sh "${@:4}") || got=$?
  echo "$said"
  [ "$got" = "$1" ] || { echo "exit status $got, not $1" >&2; cat "$scratch/serving.log" >&2; exit 1; }
  grep -qE "$2" <<< "$said" || { echo "not said: $2" >&2; exit 1; }
}
phone 0 '^body \{.*"status":"healthy"' "$code"
phone 0 '^status 404$' "$code" /api/nothing

# A relay in the middle has another identity key: the same code with another key.
other=$(openssl genpkey -algorithm ed25519 -outform DER | openssl pkey -inform DER -pubout -outform DER | tail -c 32 | base64 |
  sed 's/+/%2B/g; s#/#%2F#g; s/=/%3D/g')
# The code with another value of a member is refused.
refused() { # expected member value
  local changed
  changed=$(sed -E "s#([?&]$2=)[^&]*#\1$3#" <<< "$code")
  [ "$changed" != "$code" ] || { echo "the code has no $2" >&2; exit 1; }
  phone 1 "^refused $1" "$changed"
}
refused '521 KEY_EXCHANGE_SIGNATURE' identity_public_key "$other"
refused AUTH_FAILED auth_token wrong
refused INSTANCE_NOT_FOUND instance_id relay_0000000000000000
refused '605 PAIRING_INSECURE_URL' relay_url ws%3A%2F%2Frelay.example.test
echo "examples/kotlin: all holds"
