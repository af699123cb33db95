import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { packageFolder } from "./common.js";

/** A file of tests/vectors/refused, which say themselves what they are. */
interface RefusedToken {
  readonly token: string;
  readonly keys: { readonly lease: string; readonly license: string };
  readonly now: number;
  readonly host: string;
  readonly org: string;
  readonly leeway: number;
  readonly capability: string;
  readonly error: string;
}

// The package is a phone's, which verifies no token; its module can, and whoever calls the module gets these answers.
const { Engine } = (await import(new URL("../../dist/engine.js", import.meta.url).href)) as typeof import("../dist/engine.js");
const engine = await Engine.instantiate(await WebAssembly.compile(readFileSync(path.join(packageFolder, "pulse_trust.wasm"))));
const [requireHost, anyHost] = [0, 1];
const folder = path.resolve(packageFolder, "../../tests/vectors/refused");

test("tokens that must be refused are, each for its reason", () => {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  assert.ok(files.length > 1000, `${files.length} files`);
  for (const name of files) {
    const refused = JSON.parse(readFileSync(path.join(folder, name), "utf8")) as RefusedToken;
    assert.equal(outcome(refused), refused.error, name);
  }
});

/** The name of the refusal; empty where there is none. */
function outcome(asked: RefusedToken): string {
  const keys = engine.make("pulse_trust_keys_new", asked.keys.lease, asked.keys.license);
  try {
    const now = BigInt(asked.now);
    const binding = asked.host === "" ? anyHost : requireHost;
    const token = engine.make("pulse_token_verify", keys, asked.token, binding, asked.host, asked.org, asked.leeway, now);
    try {
      if (asked.capability !== "") engine.invoke("pulse_token_check", [token, asked.capability, now], 0);
    } finally {
      engine.free("pulse_token_free", token);
    }
    return "";
  } catch (error) {
    if (error instanceof Error && error.name !== "" && "code" in error) return error.name;
    throw error;
  } finally {
    engine.free("pulse_trust_keys_free", keys);
  }
}
