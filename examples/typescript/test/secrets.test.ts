import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { setImmediate as afterFinalizers } from "node:timers/promises";
import { test } from "node:test";
import { inspect } from "node:util";

import { Closable, PulseCode, PulseError, load, loadPulseTrust } from "@pulse/trust";

import { packageFolder, refused } from "./common.js";

const token = "SECRET-token-7f3a";
const wasm = readFileSync(path.join(packageFolder, "pulse_trust.wasm"));
const pulse = await loadPulseTrust();

function offer(from = pulse) {
  using identity = from.generateIdentity();
  return from.buildPairing({
    config: { enabled: true, server_url: "wss://relay.example.test", identity_public_key: identity.publicKey() },
    instanceId: "relay_2e1b0929e6fd7c52",
    authToken: token,
  });
}

/** A call into the module. */
interface Call {
  readonly name: string;
  readonly given: readonly number[];
  readonly gave: unknown;
}

/** What the test sees of an instance. */
interface Watched {
  readonly library: typeof pulse;
  readonly memory: WebAssembly.Memory;
  readonly calls: readonly Call[];
  /** A copy of the heap as it is now. Below it is the module's stack, which keeps what its calls leave there. */
  heap(): Buffer;
}

/** An instance whose memory and calls the test sees. */
async function watched(): Promise<Watched> {
  const instantiate = WebAssembly.instantiate;
  const calls: Call[] = [];
  let memory: WebAssembly.Memory | undefined;
  let heapBase = 0;
  const watching = async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
    const { exports } = await instantiate(module, imports);
    memory = exports["memory"] as WebAssembly.Memory;
    heapBase = (exports["__heap_base"] as WebAssembly.Global<"i32">).value;
    const seen = Object.entries(exports).map(([name, value]): [string, unknown] => {
      if (typeof value !== "function") return [name, value];
      const called = (...given: number[]): unknown => {
        const gave: unknown = (value as (...given: number[]) => unknown)(...given);
        calls.push({ name, given, gave });
        return gave;
      };
      return [name, called];
    });
    return { exports: Object.fromEntries(seen) };
  };
  WebAssembly.instantiate = watching as unknown as typeof instantiate;
  try {
    const library = await load(wasm);
    const there = memory;
    assert.ok(there !== undefined && heapBase > 0);
    return { library, memory: there, calls, heap: () => Buffer.from(there.buffer.slice(heapBase)) };
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}

test("all memory that was taken is given back, with its length, whatever came of the call", async () => {
  const { library, calls } = await watched();
  const scanned = offer(library).secretCompactCode();
  library.parsePairingCode(scanned).close();
  refused("PAIRING_MALFORMED", () => library.parsePairingCode("nothing"));
  refused("PAIRING_TOO_LARGE", () => library.parsePairingCode("x".repeat(100_000)));
  using identity = library.generateIdentity();
  using handshake = library.startHandshake();
  const { channel, answer } = identity.accept(handshake.message());
  handshake.finish(answer, identity.publicKey()).close();
  channel.close();

  const named = (name: string) => calls.filter((call) => call.name === name);
  const taken = new Map<unknown, number | undefined>();
  for (const { name, given, gave } of calls) {
    if (name === "pulse_wasm_alloc") taken.set(gave, given[0]);
    if (name !== "pulse_wasm_free") continue;
    assert.equal(taken.get(given[0]), given[1]);
    taken.delete(given[0]);
  }
  assert.ok(named("pulse_wasm_alloc").length > 20);
  assert.equal(taken.size, 0);
  assert.ok(named("pulse_buffer_free").length > 0);
  assert.equal(named("pulse_buffer_free").length, named("pulse_buffer_data").length);
  assert.equal(named("pulse_error_free").length, 2);
});

test("a closed identity and its private key, which came out and went in as text, are gone from the heap", async () => {
  const { library, heap } = await watched();
  const identity = library.generateIdentity();
  const text = identity.secretPrivateKey();
  const seed = Buffer.from(text, "base64").subarray(0, 32);
  library.identityFromPrivateKey(text).close();
  assert.ok(heap().includes(seed), "the open identity holds it, so this test can see it");
  identity.close();
  assert.ok(!heap().includes(seed));
  assert.ok(!heap().includes(text));
});

test("the token of a built code and a closed one is gone from the heap", async () => {
  const { library, heap } = await watched();
  const code = library.parsePairingCode(offer(library).secretCompactCode());
  assert.ok(heap().includes(token));
  code.close();
  assert.ok(!heap().includes(token));
});

test("no secret shows in what is logged", () => {
  using code = pulse.parsePairingCode(offer().secretCompactCode());
  const shown = [code, offer(), pulse.startHandshake(), pulse.generateIdentity()].flatMap((value) => [
    inspect(value, { depth: 9, showHidden: true }),
    String(value),
    JSON.stringify(value),
  ]);
  assert.ok(shown.some((text) => text.includes("relay_2e1b0929e6fd7c52")));
  assert.deepEqual(
    shown.filter((text) => text.includes(token)),
    [],
  );
  assert.equal(code.secretAuthToken(), token);
});

test("no secret is in an error", () => {
  const scanned = offer().secretCompactCode();
  for (const broken of [`${scanned}&auth_token=${token}`, scanned.replace("schema=", "schema=x"), `${scanned}%`]) {
    assert.throws(
      () => pulse.parsePairingCode(broken),
      (error: unknown) => error instanceof PulseError && !inspect(error).includes(token),
    );
  }
});

test("what was closed is refused, and closing twice does nothing", () => {
  const handshake = pulse.startHandshake();
  handshake.close();
  handshake.close();
  assert.ok(handshake.closed);
  refused("INVALID_ARGUMENT", () => handshake.message());
  {
    using identity = pulse.generateIdentity();
    assert.ok(identity instanceof Closable);
  }
});

test("what nobody closed is freed by the garbage collector", async () => {
  const { library, calls } = await watched();
  const isFreed = () => calls.some(({ name }) => name === "pulse_handshake_free");
  assert.ok(typeof globalThis.gc === "function", "run node with --expose-gc");
  (() => void library.startHandshake())();
  for (let round = 0; round < 50 && !isFreed(); round++) {
    await afterFinalizers();
    globalThis.gc();
  }
  assert.ok(isFreed());
});

test("what is not text is refused", () => {
  refused("INVALID_ARGUMENT", () => pulse.qrSvg(undefined as unknown as string));
});

test("an instance without random bytes makes no keys", (t) => {
  t.mock.method(globalThis.crypto, "getRandomValues", () => {
    throw new Error("none today");
  });
  refused("RANDOM_UNAVAILABLE", () => pulse.startHandshake());
});

test("a trap ends the instance, and nothing else", async () => {
  const broken = await load(wasm);
  const { library, memory } = await watched();
  const handshake = library.startHandshake();
  new Uint8Array(memory.buffer).fill(0xff); // as no bug of the library should
  assert.throws(() => library.parsePairingCode("pulse://connect?"), { code: PulseCode.PANIC });
  assert.throws(() => handshake.message(), { code: PulseCode.PANIC });
  handshake.close();
  broken.startHandshake().close();
});
