import { type Diagnostic, type PairingOffer, PulseCode, PulseError, type PulseTrust } from "@pulse/trust";

import { CHECK_TEXTS, errorText, keyText } from "./check_texts.ts";
import { byId, element, say } from "./dom.ts";
import { Fields } from "./fields.ts";
import { showFingerprint } from "./fingerprint.ts";

/** What the example fills in: names that exist nowhere, and a key whose private half is published with the tests. */
const EXAMPLE = {
  relay: "wss://relay.example.test/ws/instance",
  "instance-id": "relay_2e1b0929e6fd7c52",
  identity: "Xjvu67boGgQbx1oM5Y/JWTqs5iJpW44MUdumtgBz17o=",
  token: "example-token",
  "instance-url": "https://t-vec0000001.cloud.example.test",
} as const;

/** Which field a diagnostic or a failed check is about. */
const FIELD_OF: Readonly<Record<string, keyof typeof EXAMPLE>> = {
  instance_id: "instance-id",
  auth_token: "token",
  relay_url: "relay",
  relay_security: "relay",
  identity_key: "identity",
};

/** "Make a code": what is filled in comes out as QR code and text. */
export class MakeSection {
  readonly #pulse: PulseTrust;
  readonly #fields = new Fields(Object.keys(EXAMPLE));
  readonly #status = byId("make-status", HTMLElement);
  readonly #made = byId("made", HTMLElement);
  readonly #compact = byId("compact", HTMLTextAreaElement);

  constructor(pulse: PulseTrust, check: (code: string) => void) {
    this.#pulse = pulse;
    byId("make-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#make();
    });
    byId("example", HTMLButtonElement).addEventListener("click", () => {
      this.#fields.fill(EXAMPLE);
      this.#forget();
      say(this.#status, "An example is filled in. No instance answers to it.");
    });
    byId("copy", HTMLButtonElement).addEventListener("click", () => void this.#copy());
    byId("check-made", HTMLButtonElement).addEventListener("click", () => check(this.#compact.value));
  }

  #make(): void {
    this.#fields.clearErrors();
    this.#forget();
    const fingerprint = this.#describeKey();
    const offer = this.#build(fingerprint ?? "");
    if (offer !== undefined) this.#tryAsPhone(offer);
    if (fingerprint === undefined || offer === undefined || this.#fields.focusFirstError()) {
      this.#fields.focusFirstError();
      return say(this.#status, "The code was not made. Correct the marked fields.", "error");
    }
    this.#show(offer, fingerprint);
  }

  /** The key's fingerprint, or none with the field saying why. */
  #describeKey(): string | undefined {
    const key = this.#fields.value("identity");
    if (key === "") {
      this.#fields.setError("identity", "A phone needs this key to recognize the instance.");
      return undefined;
    }
    try {
      return this.#pulse.describePublicKey(key).fingerprint;
    } catch (error) {
      if (!(error instanceof PulseError)) throw error;
      this.#fields.setError("identity", keyText(error));
      return undefined;
    }
  }

  #build(fingerprint: string): PairingOffer | undefined {
    try {
      return this.#pulse.buildPairing({
        config: {
          enabled: true,
          server_url: this.#fields.value("relay"),
          identity_public_key: this.#fields.value("identity"),
          identity_fingerprint: fingerprint,
        },
        instanceId: this.#fields.value("instance-id"),
        authToken: this.#fields.value("token"),
        instanceUrl: this.#fields.value("instance-url"),
      });
    } catch (error) {
      if (!(error instanceof PulseError) || error.code !== PulseCode.PAIRING_NOT_READY) throw error;
      for (const diagnostic of error.diagnostics) this.#showDiagnostic(diagnostic);
      return undefined;
    }
  }

  #showDiagnostic({ field, message }: Diagnostic): void {
    const id = FIELD_OF[field ?? ""];
    if (id === "instance-id") return this.#fields.setError(id, "A phone needs this id to ask the relay for the instance.");
    if (id === "token") return this.#fields.setError(id, "Without a token, the instance lets no phone in.");
    say(this.#status, message, "error");
  }

  /** A phone refuses some codes that a runtime can make. This shows what the phone would say. */
  #tryAsPhone(offer: PairingOffer): void {
    const { checks, code } = this.#pulse.checkPairingCode(offer.secretCompactCode());
    code?.close();
    const failed = checks.find(({ state }) => state === "failed");
    if (failed?.error === undefined) return;
    const id = FIELD_OF[failed.name];
    const text = `${CHECK_TEXTS[failed.name].failed} ${errorText(failed.error)}`;
    if (id === undefined) say(this.#status, text, "error");
    else if (id !== "identity") this.#fields.setError(id, text);
  }

  #show(offer: PairingOffer, fingerprint: string): void {
    const code = offer.secretCompactCode();
    const svg = new DOMParser().parseFromString(this.#pulse.qrSvg(code), "image/svg+xml").documentElement;
    svg.setAttribute("aria-hidden", "true"); // its frame has the name
    byId("qr", HTMLElement).replaceChildren(document.importNode(svg, true));
    this.#compact.value = code;
    showFingerprint(byId("made-fingerprint", HTMLElement), fingerprint);
    const warnings = byId("warnings", HTMLElement);
    warnings.replaceChildren(...offer.diagnostics.map(({ message }) => element("li", message)));
    warnings.hidden = offer.diagnostics.length === 0;
    say(this.#status, "");
    this.#made.hidden = false;
    byId("made-title", HTMLElement).focus();
  }

  #forget(): void {
    this.#made.hidden = true;
    this.#compact.value = "";
    byId("qr", HTMLElement).replaceChildren();
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#compact.value);
      say(this.#status, "Copied. Anyone who can read the clipboard now has the token.", "good");
    } catch {
      this.#compact.select();
      say(this.#status, "The browser does not let this page copy. The text is selected, so copy it yourself.", "error");
    }
  }
}
