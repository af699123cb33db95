import assert from "node:assert/strict";
import { test } from "node:test";

import { PAIRING_CHECKS, loadPulseTrust } from "@pulse/trust";

import { openPage } from "./page.mjs";

const pulse = await loadPulseTrust();
const identity = pulse.generateIdentity();
const right = {
  auth_token: "SECRET-tok-1",
  identity_fingerprint: identity.fingerprint(),
  identity_public_key: identity.publicKey(),
  instance_id: "relay_2e1b0929e6fd7c52",
  name: "<img src=x onerror=alert(1)>",
  relay_url: "wss://relay.example.test/ws/app",
  schema: "pulse-mobile-onboarding-v1",
};
const link = (changes = {}) => `pulse://connect?${new URLSearchParams({ ...right, ...changes })}`;

/** What the report says of each check. */
async function states(page) {
  const lines = page.locator("#report li");
  const found = await lines.evaluateAll((all) => all.map((line) => [line.dataset.check, line.className]));
  // The one that failed comes first, and the others in their order.
  const inOrder = (names) => names.toSorted((a, b) => PAIRING_CHECKS.indexOf(a) - PAIRING_CHECKS.indexOf(b));
  const names = found.map(([name]) => name);
  assert.deepEqual(inOrder(names), [...PAIRING_CHECKS]);
  const first = found.findIndex(([, state]) => state === "failed");
  if (first !== -1) assert.equal(first, 0);
  return Object.fromEntries(found);
}

test("a right code passes every check, and shows the fingerprint to compare", async (t) => {
  const page = await openPage(t);
  await page.getByRole("textbox", { name: "Pairing code" }).fill(link());
  await page.getByRole("button", { name: "Check", exact: true }).click();
  assert.equal(await page.locator("#verdict").textContent(), "The code passes every check");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "verdict");
  assert.ok(Object.values(await states(page)).every((state) => state === "passed"));
  assert.equal(await page.locator("#fingerprint").textContent(), identity.fingerprint());
  assert.deepEqual(await page.locator("#members dd").allTextContents(), [
    right.instance_id,
    right.relay_url,
    right.name, // as text: nothing in a code becomes HTML
    "present (not shown)",
  ]);
  assert.ok(!(await page.locator("#report").innerHTML()).includes(right.auth_token));

  const expected = page.getByLabel("Fingerprint that the instance shows");
  const said = page.locator("#comparison");
  await expected.fill(identity.fingerprint().slice(0, 40).toLowerCase());
  assert.match(await said.textContent(), /so far/);
  await expected.fill(` ${identity.fingerprint().replaceAll(":", " ")} `);
  assert.match(await said.textContent(), /the same/);
  await expected.fill(pulse.generateIdentity().fingerprint());
  assert.match(await said.textContent(), /different/);
});

const tampered = {
  "a changed fingerprint": ["fingerprint", link({ identity_fingerprint: pulse.generateIdentity().fingerprint() }), "107"],
  "another key": ["fingerprint", link({ identity_public_key: pulse.generateIdentity().publicKey() }), "107"],
  "a public relay without encryption": ["relay_security", link({ relay_url: "ws://relay.example.test/ws/app" }), "605"],
  "a relay behind user info": ["relay_url", link({ relay_url: "wss://relay.example.test@evil.test/" }), "601"],
  "a second token": ["form", `${link()}&auth_token=other`, "602"],
  "no token": ["members", link({ auth_token: "" }), "603"],
  "no identity": ["identity", link({ identity_public_key: "", identity_fingerprint: "" }), "607"],
};

test("of a tampered code the page says which check failed", async (t) => {
  const page = await openPage(t);
  for (const [name, [check, code, number]] of Object.entries(tampered)) {
    await page.getByRole("textbox", { name: "Pairing code" }).fill(code);
    await page.getByRole("button", { name: "Check", exact: true }).click();
    assert.equal(await page.locator("#verdict").textContent(), "Do not pair with this code", name);
    const found = await states(page);
    assert.deepEqual(Object.keys(found).filter((one) => found[one] === "failed"), [check], name);
    assert.match(await page.locator(`[data-check=${check}] .detail`).textContent(), new RegExp(`\\(${number} `), name);
    assert.ok(await page.locator("#said").isHidden(), name);
    assert.ok(!(await page.locator("#report").innerHTML()).includes(right.auth_token), name);
  }
  await page.getByRole("button", { name: "Clear" }).click();
  assert.ok(await page.locator("#report").isHidden());
  assert.equal(await page.getByRole("textbox", { name: "Pairing code" }).inputValue(), "");
});

test("all of it works by keyboard", async (t) => {
  const page = await openPage(t);
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.id);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "scanned");
  await page.keyboard.type("nothing");
  const stops = [];
  for (let stop = 0; stop < 11; stop++) {
    await page.keyboard.press("Tab");
    stops.push(await focused());
  }
  assert.deepEqual(stops, [
    ...["Check", "Open image", "Use camera", "Clear"],
    ...["relay", "instance-id", "identity", "token", "instance-url"],
    ...["Make the code", "Fill in an example"],
  ]);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "The code");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "compact");
});

test("an empty field is no code", async (t) => {
  const page = await openPage(t);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  assert.match(await page.locator("#check-status").textContent(), /no code yet/);
  assert.ok(await page.locator("#report").isHidden());
});

test("the verdict has a sign, and what passed is folded away", async (t) => {
  const page = await openPage(t);
  const scanned = page.getByRole("textbox", { name: "Pairing code" });
  await scanned.fill(link());
  await scanned.press("Enter");
  assert.equal(await page.locator("#verdict-sign").textContent(), "✓");
  assert.ok(await page.locator("#checks").isHidden());
  await page.getByText("All 9 checks passed").click();
  assert.ok(await page.locator("#checks").isVisible());
  assert.match(await page.locator("#next").textContent(), /in Pulse Mobile, tap Scan/);

  await scanned.fill(link({ relay_url: "ws://relay.example.test/ws/app" }));
  await scanned.press("Enter");
  assert.equal(await page.locator("#verdict-sign").textContent(), "✗");
  assert.ok(await page.locator("#failed-checks li").isVisible());
  assert.ok(await page.locator("#checks").isHidden());
  assert.match(await page.locator("#other-checks-summary").textContent(), /^The other checks: \d passed, \d not reached$/);
});

test("a code is checked when it is pasted, also as a mail program has wrapped it", async (t) => {
  const page = await openPage(t, { http: true });
  const scanned = page.getByRole("textbox", { name: "Pairing code" });
  const wrapped = `<${link()}>`.match(/.{1,60}/g).map((line) => `> ${line}`).join("\r\n");
  await page.evaluate((text) => navigator.clipboard.writeText(text), wrapped);
  await scanned.focus();
  await page.keyboard.press("ControlOrMeta+V");
  await page.locator("#report").waitFor();
  assert.equal(await page.locator("#verdict").textContent(), "The code passes every check");
  assert.equal(await scanned.inputValue(), link());
});

test("of a part that the code does not have the page does not say that it is right", async (t) => {
  const page = await openPage(t);
  const said = async (code, check) => {
    await page.getByRole("textbox", { name: "Pairing code" }).fill(code);
    await page.getByRole("button", { name: "Check", exact: true }).click();
    return page.locator(`[data-check=${check}]`).textContent();
  };
  const bare = new URLSearchParams(right);
  bare.delete("identity_fingerprint");
  assert.match(await said(link(), "fingerprint"), /is that of its key/);
  assert.match(await said(`pulse://connect?${bare}`, "fingerprint"), /no fingerprint of its own/);
  bare.delete("identity_public_key");
  assert.match(await said(`pulse://connect?${bare}`, "identity_key"), /no identity key to look at/);
});

test("on a phone the camera comes first", async (t) => {
  const order = async (viewport) => {
    const page = await openPage(t, { viewport });
    const texts = await page.locator("#check-form button, #check-form textarea").evaluateAll((all) => all.map(({ id }) => id));
    return texts.indexOf("scan") < texts.indexOf("scanned");
  };
  assert.deepEqual([await order({ width: 360, height: 780 }), await order({ width: 1280, height: 900 })], [true, false]);
});
