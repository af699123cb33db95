import type { PairingCheckName, PulseError } from "@pulse/trust";
import { PulseCode } from "@pulse/trust";

/** What each check asks, and what it means that the code fails it, in plain words. */
export const CHECK_TEXTS: Readonly<Record<PairingCheckName, { asks: string; failed: string }>> = {
  size: {
    asks: "The text is short enough for a pairing code",
    failed: "This is far longer than any pairing code. Something else was scanned or pasted.",
  },
  form: {
    asks: "It is a pulse:// link or its JSON form, and says nothing twice",
    failed: "This is no pairing code, or one that was changed or cut off on its way.",
  },
  schema: {
    asks: "It is of the kind that this version knows",
    failed: "The code is of another kind. Update the app, or make the code anew.",
  },
  members: {
    asks: "Token, instance id and relay address are there",
    failed: "Something that a phone needs is missing. Make the code anew on the instance.",
  },
  relay_url: {
    asks: "The relay's address is a WebSocket address",
    failed: "The relay's address is none that a phone can safely connect to.",
  },
  relay_security: {
    asks: "The connection to the relay is encrypted, or stays in the local network",
    failed: "The code would have the phone connect to a public relay without encryption.",
  },
  identity_key: {
    asks: "The instance's identity key, where there is one, is sound",
    failed: "The identity key is damaged, or made so that others could pass for the instance.",
  },
  fingerprint: {
    asks: "The fingerprint in the code, where there is one, is that of its key",
    failed: "Key and fingerprint do not belong together: somebody may have put in another key.",
  },
  identity: {
    asks: "There is an identity key, by which the phone knows the instance",
    failed: "Without an identity key, whoever runs the relay could pass for the instance.",
  },
};

/** Beyond that, what the library says of it, with its stable number. */
export function errorText(error: PulseError): string {
  return `${error.message} (${error.code} ${error.name})`;
}

/** What is wrong with a public key that was typed in. */
export function keyText(error: PulseError): string {
  if (error.code === PulseCode.KEY_ENCODING) return "This is no public key: it is base64 of 32 bytes.";
  if (error.code === PulseCode.KEY_WEAK) return "This key proves nothing: it is none that an instance makes.";
  return errorText(error);
}
