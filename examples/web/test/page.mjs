// Opens the built page in Debian's Chromium, and keeps an account of every request that leaves it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";

import { chromium } from "playwright-core";

const built = path.resolve(import.meta.dirname, "../dist/index.html");
/** Where the tests leave pictures of what they saw. */
export const screenshots = path.resolve(import.meta.dirname, "screenshots");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/**
 * A browser with the page open: from the disk, or with `http` from a server of the test's. At the test's end it is
 * asserted that the page asked for itself alone, and that nothing went wrong in it; with `expectBlocked`, for a test
 * that asks for more on purpose, that nothing else reached the server.
 */
export async function openPage(t, { http = false, colorScheme = "light", arguments: more = [], viewport, expectBlocked = false } = {}) {
  assert.ok(existsSync(built), `${built} is missing: npm run build`);
  const server = http ? await serve() : undefined;
  const url = server?.url ?? `file://${built}`;
  const { page, requests, complaints } = await browse(t, {
    colorScheme,
    arguments: more,
    viewport,
    permissions: server === undefined ? [] : ["clipboard-read", "clipboard-write", "camera"],
  });
  if (server !== undefined) t.after(() => server.stop());
  await page.goto(url);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  t.after(() => {
    if (server !== undefined) assert.deepEqual(server.arrived, ["/"]);
    if (expectBlocked) return;
    const others = requests.filter((asked) => asked !== url && !/^(data|blob):/.test(asked));
    assert.ok(requests.includes(url), "the account of the requests is empty");
    assert.deepEqual(others, [], "requests beyond the page itself");
    assert.deepEqual(complaints, []);
  });
  return page;
}

/** A page of a browser that resolves no name, with an account of what it asks for and of what goes wrong in it. */
export async function browse(t, { colorScheme = "light", arguments: more = [], viewport, permissions = [] } = {}) {
  // No name resolves and no proxy is asked, so that nothing can leave even unseen.
  const args = ["--no-sandbox", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", ...more];
  const browser = await chromium.launch({ executablePath, args, headless: true });
  t.after(() => browser.close());
  const context = await browser.newContext({ colorScheme, viewport: viewport ?? { width: 1280, height: 1000 }, permissions });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const requests = [];
  const complaints = [];
  context.on("request", (request) => requests.push(request.url()));
  page.on("websocket", (socket) => requests.push(socket.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  return { page, requests, complaints };
}

/** A folder for a test's files, removed at its end. */
export async function scratch(t) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pulse-page-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function serve() {
  const body = await readFile(built);
  const arrived = [];
  const server = createServer((request, response) => {
    arrived.push(request.url);
    response.writeHead(request.url === "/" ? 200 : 404, { "Content-Type": "text/html" });
    response.end(request.url === "/" ? body : "");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, arrived, stop: () => server.close() };
}
