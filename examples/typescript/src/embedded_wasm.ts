/** The WebAssembly in base64. `scripts/embed_wasm.mjs` writes it into the built package. */
export const EMBEDDED_WASM: string = "";
