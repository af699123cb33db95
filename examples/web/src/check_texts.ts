import type { PairingCheckName, PairingCode, PulseError } from "@pulse/trust";
import { PulseCode } from "@pulse/trust";

/** What each check asks, and what it means that the code fails it, in plain words. */
export const CHECK_TEXTS: Readonly<Record<PairingCheckName, { asks: string; failed: string }>> = {
  size: {
    asks: "The text is short enough for a pairing code",
    failed: "This is far longer than any pairing code. Something else was scanned or pasted.",
  },
  form: {
    asks: "It is a pulse:// link or its JSON form, and no part appears twice",
    failed: "This is not a pairing code, or it was changed or cut off on its way.",
  },
  schema: {
    asks: "It is a kind of code that this version knows",
    failed: "The code is of a kind that this version does not know. Update the app, or have the instance show a new code.",
  },
  members: {
    asks: "It has a token, an instance id and a relay address",
    failed: "Something that a phone needs is missing. Have the instance show a new code.",
  },
  relay_url: {
    asks: "The relay's address is a WebSocket address",
    failed: "A phone cannot safely connect to the relay's address.",
  },
  relay_security: {
    asks: "The connection to the relay is encrypted, or stays in the local network",
    failed: "The code would have the phone connect to a public relay without encryption.",
  },
  identity_key: {
    asks: "The instance's identity key is sound",
    failed: "The identity key is damaged, or made so that others could pass for the instance.",
  },
  fingerprint: {
    asks: "The fingerprint in the code is that of its key",
    failed: "Key and fingerprint do not match: somebody may have replaced the key.",
  },
  identity: {
    asks: "There is an identity key, by which the phone knows the instance",
    failed: "Without an identity key, whoever runs the relay could pass for the instance.",
  },
};

/** What a check asked of this code: of a part that the code does not have there was nothing to ask. */
export function asks(name: PairingCheckName, code: PairingCode | undefined, scanned: string): string {
  const hasNoKey = code !== undefined && code.identityPublicKey === undefined;
  if (name === "identity_key" && hasNoKey) return "There is no identity key to look at";
  if (name === "fingerprint" && code !== undefined && (hasNoKey || !scanned.includes("identity_fingerprint"))) {
    return "The code has no fingerprint of its own to compare with its key";
  }
  return CHECK_TEXTS[name].asks;
}

/** The library's own message, with its stable number. */
export function errorText(error: PulseError): string {
  return `${error.message} (${error.code} ${error.name})`;
}

/** What is wrong with a public key that was typed in. */
export function keyText(error: PulseError): string {
  if (error.code === PulseCode.KEY_ENCODING) return "This is not a public key. Expected base64 of 32 bytes.";
  if (error.code === PulseCode.KEY_WEAK) return "This key proves nothing: no instance makes a key like it.";
  return errorText(error);
}
