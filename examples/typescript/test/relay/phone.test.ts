import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { type PulseTrust, loadPulseTrust } from "@pulse/trust";

import { pairAndFetch } from "../../example/phone.js";

const run = path.resolve(import.meta.dirname, "../../../../go/cmd/tenant/run.sh");
let tenant: ChildProcess;
let scanned: string;
let pulse: PulseTrust;

/** The Rust relay and a fresh Go tenant, as run.sh starts them. */
before(
  async () => {
    pulse = await loadPulseTrust();
    tenant = spawn(run, { stdio: ["ignore", "pipe", "inherit"] });
    assert.ok(tenant.stdout !== null);
    for await (const line of createInterface(tenant.stdout)) {
      if (line.startsWith("PAIRING ")) {
        scanned = line.slice("PAIRING ".length);
        return;
      }
    }
    throw new Error("run.sh ended without a pairing code");
  },
  { timeout: 180_000 },
);

after(async () => {
  const ended = new Promise((resolve) => tenant.once("exit", resolve));
  tenant.kill("SIGTERM");
  await ended;
});

/** The code with a member changed, read again so that nothing else changes with it. */
function changed(name: string, value: string): string {
  const query = new URLSearchParams(scanned.slice("pulse://connect?".length));
  assert.ok(query.has(name));
  query.set(name, value);
  return `pulse://connect?${query}`;
}

test("a phone pairs with the code and fetches /api/status", { timeout: 60_000 }, async () => {
  const { fingerprint, status, body } = await pairAndFetch(pulse, scanned, "/api/status");
  assert.equal(status, 200);
  assert.match(fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assert.equal(typeof JSON.parse(body), "object");
  console.log(`/api/status: ${status} ${body.trim()}`);
});

test("an answer through the same tenant may be another status", { timeout: 60_000 }, async () => {
  assert.equal((await pairAndFetch(pulse, scanned, "/no/such/page")).status, 404);
});

test("a phone with another identity in its code gets no channel", { timeout: 60_000 }, async () => {
  const impostor = pulse.generateIdentity().publicKey();
  const code = changed("identity_public_key", impostor);
  await assert.rejects(pairAndFetch(pulse, code, "/api/status"), { name: "KEY_EXCHANGE_SIGNATURE", code: 521 });
});

test("a phone with another token is not let in", { timeout: 60_000 }, async () => {
  await assert.rejects(pairAndFetch(pulse, changed("auth_token", "guessed"), "/api/status"), /the relay refuses/);
});

test("an instance that the relay does not know is told as such", { timeout: 60_000 }, async () => {
  const code = changed("instance_id", "relay_0000000000000000");
  await assert.rejects(pairAndFetch(pulse, code, "/api/status"), /INSTANCE_NOT_FOUND/);
});
