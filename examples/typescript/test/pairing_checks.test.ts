import assert from "node:assert/strict";
import { test } from "node:test";

import { PAIRING_CHECKS, type PairingCheckName, type PulseCodeName, loadPulseTrust } from "@pulse/trust";

const pulse = await loadPulseTrust();

const identity = pulse.generateIdentity();
const right = new Map([
  ["auth_token", "tok-1"],
  ["identity_fingerprint", identity.fingerprint()],
  ["identity_public_key", identity.publicKey()],
  ["instance_id", "relay_2e1b0929e6fd7c52"],
  ["relay_url", "wss://relay.example.test/ws/app"],
  ["schema", "pulse-mobile-onboarding-v1"],
]);

/** The right code with some members changed, or taken out (`undefined`). */
function code(changes: Record<string, string | undefined> = {}): string {
  const members = new Map<string, string | undefined>([...right, ...Object.entries(changes)]);
  const query = [...members].filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `pulse://connect?${new URLSearchParams(query)}`;
}

test("a right code passes every check", () => {
  const report = pulse.checkPairingCode(code());
  assert.ok(report.passed);
  assert.deepEqual(
    report.checks,
    PAIRING_CHECKS.map((name) => ({ name, state: "passed" })),
  );
  assert.equal(report.code?.identityFingerprint, identity.fingerprint());
  report.code?.close();
});

const zeroes = Buffer.alloc(32).toString("base64");
const other = pulse.generateIdentity();

const faults: [name: string, scanned: string, check: PairingCheckName, error: PulseCodeName][] = [
  ["too long", code({ name: "x".repeat(5000) }), "size", "PAIRING_TOO_LARGE"],
  ["empty", "", "form", "PAIRING_MALFORMED"],
  ["another link", "https://example.test/", "form", "PAIRING_MALFORMED"],
  ["broken JSON", "{", "form", "PAIRING_MALFORMED"],
  ["a key twice", `${code()}&auth_token=2`, "form", "PAIRING_DUPLICATE"],
  ["another schema", code({ schema: "v2" }), "schema", "PAIRING_SCHEMA"],
  ["no token", code({ auth_token: undefined }), "members", "PAIRING_MISSING"],
  ["no instance id", code({ instance_id: "" }), "members", "PAIRING_MISSING"],
  ["no relay URL", code({ relay_url: undefined }), "members", "PAIRING_MISSING"],
  ["another scheme", code({ relay_url: "https://relay.example.test" }), "relay_url", "PAIRING_MALFORMED"],
  ["no host", code({ relay_url: "wss://" }), "relay_url", "PAIRING_MALFORMED"],
  ["user info", code({ relay_url: "wss://relay.example.test@evil.test" }), "relay_url", "PAIRING_MALFORMED"],
  ["an invalid port", code({ relay_url: "wss://relay.example.test:0" }), "relay_url", "PAIRING_MALFORMED"],
  ["unencrypted", code({ relay_url: "ws://relay.example.test" }), "relay_security", "PAIRING_INSECURE_URL"],
  ["half a key", code({ identity_public_key: "AAAA" }), "identity_key", "KEY_ENCODING"],
  ["a weak key", code({ identity_public_key: zeroes }), "identity_key", "KEY_WEAK"],
  ["another key", code({ identity_public_key: other.publicKey() }), "fingerprint", "KEY_FINGERPRINT_MISMATCH"],
  ["a fingerprint alone", code({ identity_public_key: undefined }), "fingerprint", "KEY_FINGERPRINT_MISMATCH"],
  [
    "no identity",
    code({ identity_public_key: undefined, identity_fingerprint: undefined }),
    "identity",
    "PAIRING_NO_IDENTITY",
  ],
];

for (const [name, scanned, check, error] of faults) {
  test(`${name}: fails ${check}`, () => {
    const report = pulse.checkPairingCode(scanned);
    assert.ok(!report.passed);
    const at = PAIRING_CHECKS.indexOf(check);
    const states = report.checks.map(({ state }) => state);
    const expected = PAIRING_CHECKS.map((_, index) => {
      if (index === at) return "failed";
      return index < at ? "passed" : "not_reached";
    });
    assert.deepEqual(states, expected);
    assert.equal(report.checks[at]?.error?.name, error);
    report.code?.close();
  });
}

test("every check has a code that fails it", () => {
  assert.deepEqual(new Set(faults.map(([, , check]) => check)), new Set(PAIRING_CHECKS));
});

test("a link to a local relay may be unencrypted", () => {
  const report = pulse.checkPairingCode(code({ relay_url: "ws://192.168.1.5:8080/ws/app" }));
  assert.ok(report.passed);
  report.code?.close();
});
