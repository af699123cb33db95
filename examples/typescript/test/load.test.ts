import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { PulseCode, codeName, load, loadPulseTrust } from "@pulse/trust";

import { packageFolder } from "./common.js";

const wasm = readFileSync(path.join(packageFolder, "pulse_trust.wasm"));

test("it loads from its file, bytes, a response and a compiled module", async () => {
  const response = (type: string) => new Response(wasm, { headers: { "Content-Type": type } });
  const { version } = await loadPulseTrust();
  assert.match(version, /^\d+\.\d+\.\d+$/);
  const sources = [
    wasm,
    wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength),
    response("application/wasm"),
    response("Application/WASM; charset=binary"),
    Promise.resolve(response("application/octet-stream")),
    await WebAssembly.compile(wasm),
  ];
  for (const source of sources) assert.equal((await load(source)).version, version);
});

test("what is not the module is refused", async () => {
  await assert.rejects(load(new Response("no", { status: 404 })), /404/);
  await assert.rejects(load(new Uint8Array([0, 1])), WebAssembly.CompileError);
});

test("the browser's entry asks for the file next to it", async (t) => {
  const asked: string[] = [];
  t.mock.method(globalThis, "fetch", async (url: URL) => {
    asked.push(url.href);
    return new Response(readFileSync(url), { headers: { "Content-Type": "application/wasm" } });
  });
  const entry = new URL("../../dist/index.js", import.meta.url).href;
  const browser = (await import(entry)) as { loadPulseTrust: typeof loadPulseTrust };
  assert.match((await browser.loadPulseTrust()).version, /^\d/);
  assert.deepEqual(asked, [new URL("../../pulse_trust.wasm", import.meta.url).href]);
});

test("the embedded form asks for nothing", async (t) => {
  t.mock.method(globalThis, "fetch", () => assert.fail("it asks for a file"));
  const embedded = (await import("@pulse/trust/embedded")) as { loadPulseTrust: typeof loadPulseTrust };
  assert.match((await embedded.loadPulseTrust()).version, /^\d/);
});

test("every number has its name", () => {
  assert.equal(codeName(PulseCode.SIGNATURE_INVALID), "SIGNATURE_INVALID");
  assert.equal(codeName(4711), "UNKNOWN");
});
