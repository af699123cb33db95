// The repository holds the WebAssembly once, where Go embeds it; the package takes it along when it is built.
import { copyFile } from "node:fs/promises";

await copyFile(
  new URL("../../go/internal/engine/pulse_trust.wasm", import.meta.url),
  new URL("../pulse_trust.wasm", import.meta.url),
);
