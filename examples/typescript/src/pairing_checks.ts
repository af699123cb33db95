import { PulseCode } from "./codes.js";
import { PulseError } from "./errors.js";
import type { PairingCode } from "./pairing_code.js";

/** The checks of a scanned code, in their order: the first that fails ends them. */
export const PAIRING_CHECKS = [
  "size", // at most 4 KiB
  "form", // a deep link or JSON, with no key twice
  "schema", // of the schema that we know
  "members", // token, instance id and relay URL are there
  "relay_url", // the relay's address is a ws:// or wss:// URL, without user info
  "relay_security", // ws:// to a local host alone
  "identity_key", // a key, where there is one, is a sound one
  "fingerprint", // a fingerprint, where there is one, is that of the key
  "identity", // there is a key, which the channel needs
] as const;

/** The name of a check. */
export type PairingCheckName = (typeof PAIRING_CHECKS)[number];

/** What came of one check. */
export interface PairingCheck {
  readonly name: PairingCheckName;
  readonly state: "passed" | "failed" | "not_reached";
  /** Why it failed. */
  readonly error?: PulseError;
}

/** What came of all of them. */
export interface PairingReport {
  /** Whether the phone may pair with it. */
  readonly passed: boolean;
  readonly checks: readonly PairingCheck[];
  /** What the code says, where it could be read. It is the caller's to close. */
  readonly code: PairingCode | undefined;
}

/** Runs `parse` and says which checks passed. */
export function reportOf(parse: () => PairingCode): PairingReport {
  let code: PairingCode | undefined;
  let error: PulseError | undefined;
  try {
    code = parse();
    code.requireIdentity();
  } catch (thrown) {
    if (!(thrown instanceof PulseError)) throw thrown;
    error = thrown;
  }
  if (error === undefined) return { passed: true, checks: PAIRING_CHECKS.map(passed), code };
  return { passed: false, checks: upTo(failedCheck(error), error), code };
}

function upTo(failed: PairingCheckName, error: PulseError): PairingCheck[] {
  const at = PAIRING_CHECKS.indexOf(failed);
  return PAIRING_CHECKS.map((name, index) => {
    if (index < at) return passed(name);
    return index === at ? { name, state: "failed", error } : { name, state: "not_reached" };
  });
}

function passed(name: PairingCheckName): PairingCheck {
  return { name, state: "passed" };
}

/** The check that an error of the parser belongs to. An error that belongs to none is thrown on. */
function failedCheck(error: PulseError): PairingCheckName {
  switch (error.code) {
    case PulseCode.PAIRING_TOO_LARGE:
      return "size";
    case PulseCode.PAIRING_MALFORMED:
      // One number for both; the reason names the member where it is about one.
      return error.message.includes(": relay_url") ? "relay_url" : "form";
    case PulseCode.PAIRING_DUPLICATE:
      return "form";
    case PulseCode.PAIRING_SCHEMA:
      return "schema";
    case PulseCode.PAIRING_MISSING:
      return "members";
    case PulseCode.PAIRING_INSECURE_URL:
      return "relay_security";
    case PulseCode.KEY_ENCODING:
    case PulseCode.KEY_WEAK:
      return "identity_key";
    case PulseCode.KEY_FINGERPRINT_MISMATCH:
      return "fingerprint";
    case PulseCode.PAIRING_NO_IDENTITY:
      return "identity";
    default:
      throw error;
  }
}
