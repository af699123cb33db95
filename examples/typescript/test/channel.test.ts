import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { type Channel, loadPulseTrust } from "@pulse/trust";

import { bytes, hex, refused, utf8, vectors } from "./common.js";

interface Message {
  readonly plaintext_hex: string;
  readonly sealed_hex: string;
}

interface Vectors {
  readonly identity_private_key: string;
  readonly identity_public_key: string;
  readonly identity_fingerprint: string;
  readonly app_ephemeral_private_hex: string;
  readonly app_key_exchange_payload_hex: string;
  readonly instance_ephemeral_private_hex: string;
  readonly instance_key_exchange_payload_hex: string;
  readonly app_to_instance: readonly Message[];
  readonly instance_to_app: readonly Message[];
  readonly arrivals: readonly { message: number; accepted: boolean }[];
}

const pulse = await loadPulseTrust();
const v = vectors<Vectors>("channel.json");

/** Makes the next key from these bytes, which is how a handshake becomes the one of the vectors. */
function nextRandom(t: TestContext, given: Uint8Array): void {
  t.mock.method(globalThis.crypto, "getRandomValues", (out: Uint8Array) => {
    assert.equal(out.length, given.length);
    out.set(given);
    return out;
  });
}

/** The deployed key exchange, seen from the app. */
function deployedApp(t: TestContext): Channel {
  nextRandom(t, bytes(v.app_ephemeral_private_hex));
  using handshake = pulse.startHandshake();
  t.mock.restoreAll();
  assert.equal(hex(handshake.message()), v.app_key_exchange_payload_hex);
  return handshake.finish(bytes(v.instance_key_exchange_payload_hex), v.identity_public_key);
}

/** The deployed key exchange, seen from the instance. */
function deployedInstance(t: TestContext): Channel {
  using identity = pulse.identityFromPrivateKey(v.identity_private_key);
  nextRandom(t, bytes(v.instance_ephemeral_private_hex));
  const { channel, answer } = identity.accept(bytes(v.app_key_exchange_payload_hex));
  t.mock.restoreAll();
  assert.equal(hex(answer), v.instance_key_exchange_payload_hex);
  return channel;
}

test("the identity is that of the vectors", () => {
  using identity = pulse.identityFromPrivateKey(v.identity_private_key);
  assert.equal(identity.publicKey(), v.identity_public_key);
  assert.equal(identity.fingerprint(), v.identity_fingerprint);
  assert.equal(pulse.describePublicKey(v.identity_public_key).fingerprint, v.identity_fingerprint);
});

test("the app seals and opens as the deployed runtime does", (t) => {
  using channel = deployedApp(t);
  assert.ok(v.app_to_instance.length > 0 && v.instance_to_app.length > 0);
  for (const { plaintext_hex, sealed_hex } of v.app_to_instance) {
    assert.equal(hex(channel.seal(bytes(plaintext_hex))), sealed_hex);
  }
  for (const { plaintext_hex, sealed_hex } of v.instance_to_app) {
    assert.equal(hex(channel.open(bytes(sealed_hex))), plaintext_hex);
  }
});

test("messages that arrive again or late are replays, and change nothing", (t) => {
  using channel = deployedInstance(t);
  for (const { message, accepted } of v.arrivals) {
    const { plaintext_hex, sealed_hex } = v.app_to_instance[message] as Message;
    if (accepted) assert.equal(hex(channel.open(bytes(sealed_hex))), plaintext_hex);
    else refused("MESSAGE_REPLAYED", () => channel.open(bytes(sealed_hex)));
  }
});

test("no bit of a sealed message can be changed", (t) => {
  using channel = deployedInstance(t);
  const { plaintext_hex, sealed_hex } = v.app_to_instance[0] as Message;
  for (let bit = 0; bit < sealed_hex.length * 4; bit++) {
    const changed = bytes(sealed_hex);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => channel.open(changed), { name: /^MESSAGE_(FORGED|MALFORMED)$/ }, `bit ${bit}`);
  }
  refused("MESSAGE_MALFORMED", () => channel.open(new Uint8Array(27)));
  assert.equal(hex(channel.open(bytes(sealed_hex))), plaintext_hex);
});

test("a key exchange that the identity did not sign gives no channel", () => {
  const answer = bytes(v.instance_key_exchange_payload_hex);
  answer[40] = (answer[40] ?? 0) ^ 1;
  for (const key of [v.identity_public_key, pulse.generateIdentity().publicKey()]) {
    using handshake = pulse.startHandshake();
    refused("KEY_EXCHANGE_SIGNATURE", () => handshake.finish(answer, key));
  }
  using handshake = pulse.startHandshake();
  refused("KEY_EXCHANGE_MALFORMED", () => handshake.finish(answer.subarray(1), v.identity_public_key));
});

test("a handshake is finished once, whatever came of it", () => {
  using identity = pulse.generateIdentity();
  using handshake = pulse.startHandshake();
  const { channel, answer } = identity.accept(handshake.message());
  using app = handshake.finish(answer, identity.publicKey());
  assert.throws(() => handshake.finish(answer, identity.publicKey()), { name: "INVALID_ARGUMENT" });
  for (const text of ["", "GET", "x".repeat(70_000)]) {
    assert.deepEqual(channel.open(app.seal(utf8(text))), utf8(text));
    assert.deepEqual(app.open(channel.seal(utf8(text))), utf8(text));
  }
  channel.close();
});
