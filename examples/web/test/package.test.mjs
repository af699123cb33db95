import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { test } from "node:test";

import { chromium } from "playwright-core";

const folder = path.resolve(import.meta.dirname, "../../typescript");
const types = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };

/** The package as a file server has it, and a page that imports it without a bundler. */
async function serve(t) {
  const pages = {
    "/page.html": "<!doctype html><title>test</title>",
    "/worker.js":
      'import { loadPulseTrust } from "/dist/index.js";' +
      "postMessage((await loadPulseTrust()).relayUrlForApp('wss://relay.example.test'));",
  };
  const server = createServer((request, response) => {
    const file = path.join(folder, path.normalize(request.url));
    const content = pages[request.url] === undefined ? readFile(file) : Promise.resolve(pages[request.url]);
    content.then(
      (body) => response.writeHead(200, { "Content-Type": types[path.extname(request.url)] }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

test("a browser loads the package without a bundler, in a page and in a worker", async (t) => {
  const origin = await serve(t);
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], headless: true });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${origin}/page.html`);
  const outcome = await page.evaluate(async () => {
    const { loadPulseTrust } = await import("/dist/index.js");
    const pulse = await loadPulseTrust();
    const identity = pulse.generateIdentity();
    const handshake = pulse.startHandshake();
    const { channel, answer } = identity.accept(handshake.message());
    const app = handshake.finish(answer, identity.publicKey());
    const opened = new TextDecoder().decode(channel.open(app.seal(new TextEncoder().encode("GET"))));
    const worker = new Worker("/worker.js", { type: "module" });
    const fromWorker = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    return [opened, fromWorker];
  });
  assert.deepEqual(outcome, ["GET", "wss://relay.example.test/ws/app"]);
});
