import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

import { loadPulseTrust } from "@pulse/trust";

import { openPage, scratch } from "./page.mjs";

const pulse = await loadPulseTrust();

/** What another QR reader than the page's own sees. */
function zbarimg(file) {
  return execFileSync("zbarimg", ["--quiet", "--raw", "--oneshot", file], { encoding: "utf8" }).trimEnd();
}

test("a code that is made is drawn so that zbarimg reads it", async (t) => {
  const page = await openPage(t);
  const identity = pulse.generateIdentity();
  await page.getByLabel("Relay server").fill("wss://relay.example.test/ws/instance");
  await page.getByLabel("Instance id").fill("relay_2e1b0929e6fd7c52");
  await page.getByLabel("Identity public key").fill(identity.publicKey());
  await page.getByLabel("Token").fill("tok+/= é");
  await page.getByRole("button", { name: "Make the code" }).click();
  const compact = await page.getByLabel("Compact code").inputValue();
  const file = path.join(await scratch(t), "qr.png");
  await page.getByRole("img", { name: "QR code of the pairing code" }).screenshot({ path: file });
  assert.equal(zbarimg(file), compact);

  const code = pulse.parsePairingCode(compact);
  assert.equal(code.secretAuthToken(), "tok+/= é");
  assert.equal(code.relayUrl, "wss://relay.example.test/ws/app");
  assert.equal(code.identityPublicKey, identity.publicKey());
  assert.equal(await page.locator("#made-fingerprint").textContent(), identity.fingerprint());
  code.close();
});

test("in dark colors zbarimg reads the code too", async (t) => {
  const page = await openPage(t, { colorScheme: "dark", viewport: { width: 360, height: 780 } });
  await page.getByRole("button", { name: "Fill in an example" }).click();
  await page.getByRole("button", { name: "Make the code" }).click();
  const file = path.join(await scratch(t), "qr.png");
  await page.getByRole("img", { name: "QR code of the pairing code" }).screenshot({ path: file });
  assert.equal(zbarimg(file), await page.getByLabel("Compact code").inputValue());
});

test("fields that are not right say so, and the first of them has the focus", async (t) => {
  const page = await openPage(t);
  await page.getByRole("button", { name: "Make the code" }).click();
  for (const name of ["Instance id", "Identity public key", "Token"]) {
    assert.equal(await page.getByLabel(name).getAttribute("aria-invalid"), "true", name);
  }
  assert.equal(await page.locator("#make-status").textContent(), "The code was not made. Correct the marked fields.");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "instance-id");
  assert.ok(await page.locator("#made").isHidden());

  await page.getByRole("button", { name: "Fill in an example" }).click();
  assert.equal(await page.locator("[aria-invalid]").count(), 0);
  const faults = {
    "Identity public key": ["AAAA", /not a public key/],
    "Relay server": ["ws://relay.example.test", /without encryption.*605 PAIRING_INSECURE_URL/],
  };
  for (const [name, [value, message]] of Object.entries(faults)) {
    const field = page.getByLabel(name);
    const right = await field.inputValue();
    await field.fill(value);
    await page.getByRole("button", { name: "Make the code" }).click();
    const about = (await field.getAttribute("aria-describedby")).split(" ")[1];
    assert.match(await page.locator(`#${about}`).textContent(), message);
    await field.fill(right);
  }
  await page.getByRole("button", { name: "Make the code" }).click();
  assert.ok(await page.locator("#made").isVisible());
});

test("an address that is not https is left out, with a warning", async (t) => {
  const page = await openPage(t);
  await page.getByRole("button", { name: "Fill in an example" }).click();
  await page.getByLabel("Address of the instance").fill("http://pulse.lan:7655");
  await page.getByRole("button", { name: "Make the code" }).click();
  assert.match(await page.locator("#warnings").textContent(), /not https/);
});

test("the code can be copied, and checked where it was made", async (t) => {
  const page = await openPage(t, { http: true });
  await page.getByRole("button", { name: "Fill in an example" }).click();
  await page.getByRole("button", { name: "Make the code" }).click();
  await page.getByRole("button", { name: "Copy" }).click();
  await page.locator("#make-status.good").waitFor();
  const compact = await page.getByLabel("Compact code").inputValue();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), compact);
  await page.getByRole("button", { name: "Check this code" }).click();
  assert.equal(await page.locator("#verdict").textContent(), "The code passes every check");
});
