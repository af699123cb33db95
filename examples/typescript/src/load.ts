import { Engine } from "./engine.js";
import { PulseTrust } from "./pulse_trust.js";

/** What the library can be loaded from. */
export type Source = BufferSource | Response | WebAssembly.Module;

/**
 * Loads the library from its bytes, from what `fetch` gave for pulse_trust.wasm, or from the module compiled before
 * (in another worker, say). Every load has a memory of its own; one for a program is enough.
 */
export async function load(source: Source | PromiseLike<Source>): Promise<PulseTrust> {
  return new PulseTrust(await Engine.instantiate(await compile(await source)));
}

async function compile(source: Source): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof Response === "undefined" || !(source instanceof Response)) return WebAssembly.compile(source as BufferSource);
  if (!source.ok) throw new Error(`pulse_trust.wasm: the server answered ${source.status}`);
  // Streaming needs exactly this type, without parameters; many a file server does not know it.
  if (source.headers.get("Content-Type") === "application/wasm") return WebAssembly.compileStreaming(source);
  return WebAssembly.compile(await source.arrayBuffer());
}
