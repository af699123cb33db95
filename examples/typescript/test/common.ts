import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";

import { type PulseCodeName, PulseCode, PulseError } from "@pulse/trust";

/** The package's folder, seen from dist-test/test. */
export const packageFolder = path.resolve(import.meta.dirname, "../..");

/** Parses one file of the shared test vectors, the same that every language runs. */
export function vectors<T>(name: string): T {
  const folder = process.env["PULSE_TRUST_VECTORS"] ?? path.resolve(packageFolder, "../../tests/vectors/deployed");
  return JSON.parse(readFileSync(path.join(folder, name), "utf8")) as T;
}

/** Asserts that `job` is refused with this error, and gives it. */
export function refused(name: PulseCodeName, job: () => unknown): PulseError {
  let thrown: unknown;
  try {
    job();
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof PulseError, `expected ${name}, nothing was refused: ${String(thrown)}`);
  assert.deepEqual([thrown.name, thrown.code], [name, PulseCode[name]]);
  return thrown;
}

export function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

export function hex(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
