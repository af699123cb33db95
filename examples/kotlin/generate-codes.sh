#!/usr/bin/env bash
# Writes PulseCode.kt (or the file named) from include/pulse_trust.h. Run it when the header has a new error; HeaderTest
# fails until then.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-src/main/kotlin/io/pulserelay/trust/PulseCode.kt}
{
  cat <<'HEAD'
// Written by generate-codes.sh from include/pulse_trust.h; do not edit.

package io.pulserelay.trust

/** The stable number of an error, the same in every language. A newer library may give numbers that have no name here. */
@JvmInline
public value class PulseCode(public val number: Int) {
    /** The stable name, as `SIGNATURE_INVALID`. */
    public val name: String get() = names[number] ?: "UNKNOWN"

    override fun toString(): String = "$number $name"

    public companion object {
HEAD
  awk '
    /^\/\* .* \*\/$/ { doc = substr($0, 4, length($0) - 6) }
    /^#define PULSE_ERR_/ {
      name = substr($2, 11)
      printf "        /** %s */\n        public val %s: PulseCode = PulseCode(%d)\n", doc, name, $3
      names = names sprintf("            %d to \"%s\",\n", $3, name)
    }
    END { printf "\n        private val names: Map<Int, String> = mapOf(\n%s        )\n\n", names }
  ' ../../include/pulse_trust.h
  cat <<'TAIL'
        /** Every number that has a name. */
        public val entries: List<PulseCode> get() = names.keys.map(::PulseCode)
    }
}
TAIL
} > "$out"
