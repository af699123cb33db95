import { PulseCode, type PulseCodeName } from "./codes.js";
import type { Diagnostic } from "./diagnostic.js";

/** What an error can say beyond number and text. */
export interface PulseErrorDetails {
  readonly wireCode?: string | undefined;
  readonly diagnostics?: readonly Diagnostic[] | undefined;
}

/** Why the library refused something. It holds no secret. */
export class PulseError extends Error {
  /** The stable number, one of {@link PulseCode}. */
  readonly code: number;
  /** The stable name of the number, such as `SIGNATURE_INVALID`. */
  override readonly name: PulseCodeName | "UNKNOWN";
  /** What a relay's ERROR frame says of it, where there is one. */
  readonly wireCode: string | undefined;
  /** With `PAIRING_NOT_READY`, what keeps the pairing code from being built; else empty. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: number, message: string, details: PulseErrorDetails = {}) {
    super(message);
    this.code = code;
    this.name = codeName(code);
    this.wireCode = details.wireCode;
    this.diagnostics = details.diagnostics ?? [];
  }
}

/** The stable name of a number; `UNKNOWN` for a number that has none. */
export function codeName(code: number): PulseCodeName | "UNKNOWN" {
  return names.get(code) ?? "UNKNOWN";
}

const names = new Map<number, PulseCodeName>(
  Object.entries(PulseCode).map(([name, code]) => [code, name as PulseCodeName]),
);
