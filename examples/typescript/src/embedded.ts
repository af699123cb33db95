// The entry for bundlers that take no .wasm along, such as esbuild: the module is a part of the script, and a third larger.
import { EMBEDDED_WASM } from "./embedded_wasm.js";
import { load } from "./load.js";
import type { PulseTrust } from "./pulse_trust.js";

export * from "./api.js";

/** Loads the library from the bytes in this module. */
export function loadPulseTrust(): Promise<PulseTrust> {
  return load(Uint8Array.from(atob(EMBEDDED_WASM), (character) => character.charCodeAt(0)));
}
