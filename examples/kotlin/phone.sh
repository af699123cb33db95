#!/usr/bin/env bash
# Runs the example phone: `./phone.sh [PATH] < CODE`, with a pairing code on standard input. Needs `mvn test-compile`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ -f "$here/target/classpath" ] || { echo "first: mvn -q -B test-compile" >&2; exit 2; }
classpath=$(cat "$here/target/classpath")
exec java "-Djna.library.path=${PULSE_TRUST_LIBRARY:-$here/../../target/capi}" \
  -cp "$here/target/test-classes:$here/target/classes:$classpath" io.pulserelay.phone.MainKt "$@"
