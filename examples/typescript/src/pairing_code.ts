import { PulseCode } from "./codes.js";
import type { Engine } from "./engine.js";
import { PulseError } from "./errors.js";
import { Closable } from "./handle.js";

/** What the library says of a code, without its secret. */
interface CodeJson {
  readonly instance_id: string;
  readonly relay_url: string;
  readonly auth_token: string;
  readonly identity_public_key: string | null;
  readonly identity_fingerprint: string | null;
  readonly instance_url: string | null;
  readonly name: string | null;
}

/**
 * A scanned code that passed every check of `parsePairingCode`. Nobody has signed it: it says which instance to expect,
 * and the key exchange proves that the instance is the one. The token stays in the library's memory, so that it shows
 * in no log.
 */
export class PairingCode extends Closable {
  /** The id under which the relay knows the instance. */
  readonly instanceId: string;
  /** Where the app connects: `wss://`, or `ws://` to a local host. */
  readonly relayUrl: string;
  /** The key that the instance must prove; `undefined` in codes of runtimes without one, with which no channel opens. */
  readonly identityPublicKey: string | undefined;
  /** For people to compare, computed from the key: 32 upper-case hex pairs joined by `:`. */
  readonly identityFingerprint: string | undefined;
  /** Where a browser reaches the instance: `https`. */
  readonly instanceUrl: string | undefined;
  /** What the code calls the instance. Anybody's text: decide nothing by it. */
  readonly name: string | undefined;

  readonly #engine: Engine;

  /** @internal */
  constructor(engine: Engine, pointer: number) {
    super(engine, "pulse_pairing_code_free", pointer);
    this.#engine = engine;
    const said = this.#read();
    this.instanceId = said.instance_id;
    this.relayUrl = said.relay_url;
    this.identityPublicKey = said.identity_public_key ?? undefined;
    this.identityFingerprint = said.identity_fingerprint ?? undefined;
    this.instanceUrl = said.instance_url ?? undefined;
    this.name = said.name ?? undefined;
  }

  /** The key that the instance must prove; `PAIRING_NO_IDENTITY` where the code has none, with which no channel opens. */
  requireIdentity(): string {
    if (this.identityPublicKey !== undefined) return this.identityPublicKey;
    throw new PulseError(
      PulseCode.PAIRING_NO_IDENTITY,
      "pairing code: identity_public_key is missing, so the instance cannot be authenticated",
    );
  }

  /** **Secret**: the token by which the instance lets the phone in, sent in CONNECT. A JavaScript text cannot be wiped. */
  secretAuthToken(): string {
    return this.#read().auth_token;
  }

  #read(): CodeJson {
    return this.#engine.json("pulse_pairing_code_secret_json", this.handle());
  }
}
