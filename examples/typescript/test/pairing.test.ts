import assert from "node:assert/strict";
import { test } from "node:test";

import { type Diagnostic, type PairingOffer, type RelayConfig, loadPulseTrust } from "@pulse/trust";

import { refused, vectors } from "./common.js";

interface Case {
  readonly name: string;
  readonly instance_url: string;
  readonly relay_config: RelayConfig;
  readonly instance_id: string;
  readonly auth_token: string;
  readonly ready: boolean;
  readonly payload: { deep_link: string; relay: { url: string; identity_public_key?: string }; diagnostics: Diagnostic[] };
  readonly diagnostic_codes: readonly string[];
  readonly ours_diagnostic_codes?: readonly string[];
}

interface Vectors {
  readonly cases: readonly Case[];
  readonly relay_urls: readonly { in: string; app_url: string }[];
}

const pulse = await loadPulseTrust();
const v = vectors<Vectors>("onboarding.json");

function build(c: Case): PairingOffer {
  const { relay_config: config, instance_id: instanceId, auth_token: authToken, instance_url: instanceUrl } = c;
  return pulse.buildPairing({ config, instanceId, authToken, instanceUrl });
}

test("pairing codes are those of the deployed runtime", () => {
  const ready = v.cases.filter((c) => c.ready);
  assert.ok(ready.length > 0 && ready.length < v.cases.length);
  for (const c of ready) {
    const offer = build(c);
    assert.equal(offer.secretDeepLink(), c.payload.deep_link, c.name);
    const expected = c.ours_diagnostic_codes === undefined ? c.payload : { ...c.payload, diagnostics: [] };
    assert.deepEqual(withoutMessages(offer.secretPayload()), withoutMessages(expected), c.name);
  }
});

test("where there is no code yet, the diagnostics say why", () => {
  for (const c of v.cases.filter((c) => !c.ready)) {
    const error = refused("PAIRING_NOT_READY", () => build(c));
    const codes = error.diagnostics.map(({ code }) => code);
    assert.deepEqual(codes, c.ours_diagnostic_codes ?? c.diagnostic_codes, c.name);
  }
});

test("every form of a code says the same to a phone", () => {
  for (const c of v.cases.filter((c) => c.ready)) {
    const offer = build(c);
    // A runtime hands on what it is configured with; a phone checks it.
    if (!pulse.checkPairingCode(offer.secretDeepLink()).checks.every(({ state }) => state === "passed")) continue;
    const forms = [offer.secretDeepLink(), offer.secretCompactCode(), JSON.stringify(offer.secretPayload())];
    for (const form of forms) {
      using code = pulse.parsePairingCode(` ${form}\n`);
      assert.equal(code.instanceId, c.instance_id);
      assert.equal(code.relayUrl, c.payload.relay.url);
      assert.equal(code.secretAuthToken(), c.auth_token);
      assert.equal(code.identityPublicKey, c.payload.relay.identity_public_key);
      assert.equal(code.identityFingerprint, c.relay_config.identity_fingerprint);
    }
  }
});

test("relay URLs become those that an app connects to", () => {
  assert.ok(v.relay_urls.length > 0);
  for (const { in: url, app_url } of v.relay_urls) assert.equal(pulse.relayUrlForApp(url), app_url);
});

test("a connection check says what a phone presents that is not right", () => {
  const right = {
    relayEnabled: true,
    serverUrl: "wss://relay.example.test/ws/instance",
    ownInstanceId: "relay_2e1b0929e6fd7c52",
    instanceId: "relay_2e1b0929e6fd7c52",
    relayUrl: "wss://relay.example.test/ws/app",
    authToken: "the-token",
    tokenKnown: true,
  };
  const codes = (change: Partial<typeof right>) =>
    pulse.checkConnection({ ...right, ...change }).map(({ code, severity }) => `${code} ${severity}`);
  assert.deepEqual(codes({}), []);
  assert.deepEqual(codes({ relayEnabled: false }), ["relay_disabled error"]);
  assert.deepEqual(codes({ instanceId: "relay_0", tokenKnown: false }), [
    "instance_id_mismatch error",
    "auth_token_invalid error",
  ]);
  const { ownInstanceId: _, ...unregistered } = right;
  assert.deepEqual(
    pulse.checkConnection(unregistered).map(({ code }) => code),
    ["instance_id_unverifiable"],
  );
});

test("a code is drawn as SVG and for a terminal; what is too large is refused", () => {
  assert.match(pulse.qrSvg("pulse://connect"), /^<\?xml.*<svg.*<path/s);
  assert.match(pulse.qrTerminal("pulse://connect"), /[█▀▄]/);
  refused("QR_TOO_LARGE", () => pulse.qrSvg("x".repeat(2954)));
});

/** Wording is ours; the vectors leave it out. */
function withoutMessages(payload: unknown): unknown {
  return JSON.parse(JSON.stringify(payload, (name, value: unknown) => (name === "message" ? undefined : value)));
}

test("a code without an identity says so to whoever needs it", () => {
  const without = "pulse://connect?auth_token=t&instance_id=relay_2e1b0929e6fd7c52&relay_url=wss%3A%2F%2Frelay.example.test";
  using code = pulse.parsePairingCode(without);
  assert.equal(code.identityPublicKey, undefined);
  refused("PAIRING_NO_IDENTITY", () => code.requireIdentity());
  using identity = pulse.generateIdentity();
  using whole = pulse.parsePairingCode(`${without}&identity_public_key=${encodeURIComponent(identity.publicKey())}`);
  assert.equal(whole.requireIdentity(), identity.publicKey());
});
