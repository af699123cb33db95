// `pulse-trust demo` in the browser: its page pairs the phone with the code that it shows.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { browse, screenshots } from "./page.mjs";

const tool = process.env.PULSE_TRUST ?? path.resolve(import.meta.dirname, "../../../target/debug/pulse-trust");
await mkdir(screenshots, { recursive: true });

/** A demonstration that runs until the test's end; where its page is. */
async function demonstration(t) {
  const demo = spawn(tool, ["demo", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => demo.kill());
  for await (const line of createInterface({ input: demo.stdout })) {
    const opened = /Open (http:\/\/\S+) /.exec(line);
    if (opened !== null) return opened[1];
  }
  throw new Error(`${tool} demo has ended before its page was there`);
}

test("the page of the demonstration pairs, and says so", async (t) => {
  const url = await demonstration(t);
  const { page, complaints, requests } = await browse(t, { viewport: { width: 800, height: 1000 } });
  await page.goto(url);
  const code = page.getByLabel("Pairing code, as it was scanned");
  await page.waitForFunction(() => document.getElementById("shown").value !== "");
  assert.equal(await page.locator("#verdict").textContent(), "Not paired yet");
  assert.equal(await page.locator("#qr svg").count(), 1);

  await code.fill("pulse://connect?auth_token=t");
  await page.getByRole("button", { name: "Pair", exact: true }).click();
  await page.getByText("✗ Not paired: ").waitFor();
  assert.equal(await page.locator("#verdict").textContent(), "Not paired yet");

  await page.getByRole("button", { name: "Copy to the phone" }).click();
  await page.getByRole("button", { name: "Pair", exact: true }).click();
  await page.getByText("✓ Paired: ").waitFor();
  await page.locator("#banner.good").waitFor();
  assert.equal(await page.locator("#verdict").textContent(), "Paired");
  assert.match(await page.locator("#steps").textContent(), /a phone asked the tenant for \/api\/status, through the relay/);
  await page.screenshot({ path: path.join(screenshots, "demo.png"), fullPage: true });
  assert.deepEqual(complaints, []);
  assert.ok(requests.every((asked) => asked.startsWith(url) || asked.startsWith("data:")), requests.join(" "));
});
