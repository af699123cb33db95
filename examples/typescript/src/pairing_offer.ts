import type { Diagnostic } from "./diagnostic.js";

/** What a pairing code is made of. */
export interface PairingRequest {
  /** The relay config in effect, as the runtime has it. */
  readonly config: RelayConfig;
  /** What the relay's last ACK said. */
  readonly instanceId: string;
  /** **Secret**: the token that the phone is to present. */
  readonly authToken: string;
  /** The instance's own URL, which is handed on if it is `https`. */
  readonly instanceUrl?: string;
}

/** The members of a relay config that a pairing code needs; others may be there. */
export interface RelayConfig {
  readonly enabled: boolean;
  /** Where instances connect; empty is the default relay. */
  readonly server_url: string;
  readonly identity_public_key?: string;
  readonly identity_fingerprint?: string;
  readonly [other: string]: unknown;
}

interface Built {
  readonly payload: unknown;
  readonly deep_link: string;
  readonly compact_code: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** What a runtime offers to a phone. Every form of it holds the token, so the forms are methods and show in no log. */
export class PairingOffer {
  /** Warnings. */
  readonly diagnostics: readonly Diagnostic[];
  readonly #built: Built;

  /** @internal */
  constructor(built: Built) {
    this.diagnostics = built.diagnostics;
    this.#built = built;
  }

  /** **Secret**: the short form, which a QR code shows. */
  secretCompactCode(): string {
    return this.#built.compact_code;
  }

  /** **Secret**: the link that opens the app. */
  secretDeepLink(): string {
    return this.#built.deep_link;
  }

  /** **Secret**: the JSON form. */
  secretPayload(): unknown {
    return this.#built.payload;
  }
}

/** What a phone presents, against what the runtime knows. */
export interface ConnectionCheck {
  readonly relayEnabled: boolean;
  readonly serverUrl: string;
  /** `undefined`: not registered. */
  readonly ownInstanceId?: string | undefined;
  readonly instanceId: string;
  readonly relayUrl: string;
  /** **Secret**. */
  readonly authToken: string;
  readonly tokenKnown: boolean;
}

/** The JSON form that the library takes. */
export function connectionCheckJson(check: ConnectionCheck): string {
  return JSON.stringify({
    relay_enabled: check.relayEnabled,
    server_url: check.serverUrl,
    own_instance_id: check.ownInstanceId ?? null,
    instance_id: check.instanceId,
    relay_url: check.relayUrl,
    auth_token: check.authToken,
    token_known: check.tokenKnown,
  });
}
