// Writes the WebAssembly into the module that src/embedded_wasm.ts declares, for bundlers that take no other files along.
import { readFile, writeFile } from "node:fs/promises";

const wasm = await readFile(new URL("../pulse_trust.wasm", import.meta.url));
const text = `export const EMBEDDED_WASM = ${JSON.stringify(wasm.toString("base64"))};\n`;
await writeFile(new URL("../dist/embedded_wasm.js", import.meta.url), text);
