// The entry for browsers, workers and bundlers, which know the form `new URL(..., import.meta.url)`.
import { load } from "./load.js";
import type { PulseTrust } from "./pulse_trust.js";

export * from "./api.js";

/** Loads the library from the file of the package. */
export function loadPulseTrust(): Promise<PulseTrust> {
  return load(fetch(new URL("../pulse_trust.wasm", import.meta.url)));
}
