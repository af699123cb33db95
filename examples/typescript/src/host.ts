/** `FAILED` of src/ffi/wasm.rs: what a host without files answers. */
const FAILED = -6;
const DONE = 0;

const neverCalled = () => {
  throw new Error("the module asks for a primitive that was not offered");
};

/**
 * What the module imports: random bytes, files, of which there are none here, and primitives, which the module computes
 * itself: those of JavaScript answer with a promise, for which a call into the module cannot wait. `memory` is asked for at
 * each call, as it moves when it grows.
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
      open_read_only: fails,
      directory_mode: () => 0,
      failure: () => 0, // no text of a failure
      take() {},
      unlock() {},
      crypto_offered: () => 0, // so none of the following is called
      aes_gcm_seal: neverCalled,
      aes_gcm_open: neverCalled,
      x25519: neverCalled,
      hkdf_sha256: neverCalled,
      ed25519_equation: neverCalled,
      ed25519_sign: neverCalled,
      ed25519_key_pair: neverCalled,
    },
  };
}
