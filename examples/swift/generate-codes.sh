#!/usr/bin/env bash
# Writes PulseCode.swift (or the file named) from include/pulse_trust.h. check.sh fails until it is run.
set -euo pipefail
cd "$(dirname "$0")"
{
  cat <<'HEAD'
// NOT RUN HERE: there was no Swift toolchain.
// Written by generate-codes.sh from include/pulse_trust.h; do not edit.

/// The stable number of an error, the same in every language. A newer library may give numbers that have no name here.
public struct PulseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The stable name, as `SIGNATURE_INVALID`.
    public var name: String { Self.names[rawValue] ?? "UNKNOWN" }

    public var description: String { "\(rawValue) \(name)" }

HEAD
  awk '
    /^\/\* .* \*\/$/ { doc = substr($0, 4, length($0) - 6) }
    /^#define PULSE_ERR_/ {
      name = substr($2, 11)
      swift = ""
      count = split(tolower(name), words, "_")
      for (i = 1; i <= count; i++) swift = swift (i == 1 ? words[i] : toupper(substr(words[i], 1, 1)) substr(words[i], 2))
      printf "    /// %s\n    public static let %s = PulseCode(rawValue: %d)\n", doc, swift, $3
      names = names sprintf("        %d: \"%s\",\n", $3, name)
    }
    END { printf "\n    private static let names: [Int32: String] = [\n%s    ]\n}\n", names }
  ' ../../include/pulse_trust.h
} > "${1:-Sources/PulseTrust/PulseCode.swift}"
