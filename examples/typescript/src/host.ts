/** `FAILED` of src/ffi/wasm.rs: what a host without files answers. */
const FAILED = -6;
const DONE = 0;

/**
 * What the module imports: random bytes, and files, of which there are none here. `memory` is asked for at each call,
 * as it moves when it grows.
 */
export function hostImports(memory: () => ArrayBuffer): WebAssembly.Imports {
  const fails = () => FAILED;
  return {
    pulse_host: {
      random(out: number, length: number): number {
        try {
          globalThis.crypto.getRandomValues(new Uint8Array(memory(), out >>> 0, length >>> 0));
          return DONE;
        } catch {
          return FAILED; // the library says RANDOM_UNAVAILABLE
        }
      },
      file_read: fails,
      file_list: fails,
      file_write: fails,
      directory_make: fails,
      lock: fails,
      directory_mode: () => 0,
      failure: () => 0, // no text of a failure
      take() {},
      unlock() {},
    },
  };
}
