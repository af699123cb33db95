// What the repository holds once, and the package takes along when it is built: the WebAssembly, where Go embeds it, and
// the license.
import { copyFile } from "node:fs/promises";

const here = (path) => new URL(`../${path}`, import.meta.url);
await copyFile(here("../go/internal/engine/pulse_trust.wasm"), here("pulse_trust.wasm"));
await copyFile(here("../../LICENSE"), here("LICENSE"));
