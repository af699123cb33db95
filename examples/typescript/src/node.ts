// The entry for Node, whose fetch reads no files.
import { readFile } from "node:fs/promises";

import { load } from "./load.js";
import type { PulseTrust } from "./pulse_trust.js";

export * from "./api.js";

/** Loads the library from the file of the package. */
export function loadPulseTrust(): Promise<PulseTrust> {
  return load(readFile(new URL("../pulse_trust.wasm", import.meta.url)) as Promise<BufferSource>);
}
