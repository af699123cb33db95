import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { build } from "esbuild";

import { packageFolder } from "./common.js";

test("a bundler that takes no .wasm along makes one file of the embedded form, which runs", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pulse-bundle-"));
  t.after(() => rm(folder, { recursive: true }));
  const outfile = path.join(folder, "app.mjs");
  await build({
    stdin: {
      contents: `import { loadPulseTrust } from "@pulse/trust/embedded"; export const { version } = await loadPulseTrust();`,
      resolveDir: packageFolder,
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    outfile,
  });
  assert.deepEqual(await readdir(folder), ["app.mjs"]);
  const { version } = (await import(pathToFileURL(outfile).href)) as { version: string };
  assert.match(version, /^\d+\.\d+\.\d+$/);
});
