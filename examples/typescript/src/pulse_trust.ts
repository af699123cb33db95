import { Handshake, Identity } from "./channel.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Engine } from "./engine.js";
import { type Frame, decodeFrame, encodeFrame } from "./frame.js";
import { type PairingReport, reportOf } from "./pairing_checks.js";
import { PairingCode } from "./pairing_code.js";
import {
  type ConnectionCheck,
  PairingOffer,
  type PairingRequest,
  connectionCheckJson,
} from "./pairing_offer.js";
import { type PhoneEvent, PhoneSession, type PhoneSettings, type SocketConstructor } from "./session.js";
import { EngineSession } from "./session_calls.js";

/** What a public key is known by. */
export interface PublicKeyDescription {
  /** Standard base64. */
  readonly publicKey: string;
  /** What a token's `kid` says. */
  readonly keyId: string;
  /** `SHA256:...`. */
  readonly logFingerprint: string;
  /** Hex pairs, which people compare. */
  readonly fingerprint: string;
}

/** The library. What it refuses it throws as a `PulseError`. */
export class PulseTrust {
  readonly #engine: Engine;

  /** @internal */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The version of the library. */
  get version(): string {
    return this.#engine.staticText("pulse_version");
  }

  /** Reads and checks a scanned text: a deep link, the compact code, or the JSON form. */
  parsePairingCode(scanned: string): PairingCode {
    return new PairingCode(this.#engine, this.#engine.make("pulse_pairing_code_parse", scanned));
  }

  /** The same for a screen: says of each check whether the code passed it. It does not throw for a code that fails. */
  checkPairingCode(scanned: string): PairingReport {
    return reportOf(() => this.parsePairingCode(scanned));
  }

  /** Builds the pairing code of a runtime. Where there is none yet, `PAIRING_NOT_READY` has diagnostics that say why. */
  buildPairing({ config, instanceId, authToken, instanceUrl = "" }: PairingRequest): PairingOffer {
    const given = [JSON.stringify(config), instanceId, authToken, instanceUrl];
    return new PairingOffer(this.#engine.json("pulse_pairing_build", ...given));
  }

  /**
   * A phone's end of a conversation with the instance of a scanned code; `start` begins it. `handle` is told every event.
   * Node before 22 has no WebSocket of its own: give that of the package `ws`.
   */
  phoneSession(
    scanned: string,
    handle: (event: PhoneEvent) => void,
    { settings = {}, socket = globalThis.WebSocket }: { settings?: PhoneSettings; socket?: SocketConstructor } = {},
  ): PhoneSession {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    return new PhoneSession(new EngineSession(this.#engine, scanned, JSON.stringify({ ...settings, seed })), socket, handle);
  }

  /** The runtime's side of a connection check: every diagnostic, none where all is right. */
  checkConnection(check: ConnectionCheck): Diagnostic[] {
    return this.#engine.json("pulse_connection_check", connectionCheckJson(check));
  }

  /** The URL an app connects to, from the one the instance is configured with. */
  relayUrlForApp(url: string): string {
    return this.#engine.text("pulse_relay_url_for_app", url);
  }

  /** Draws a text as a QR code: an SVG image, black on white. */
  qrSvg(text: string): string {
    return this.#engine.text("pulse_qr_svg", text);
  }

  /** Draws a text as a QR code for a terminal with a dark background. */
  qrTerminal(text: string): string {
    return this.#engine.text("pulse_qr_terminal", text);
  }

  /** What a public key, in base64, is known by. */
  describePublicKey(key: string): PublicKeyDescription {
    const said = this.#engine.json<Record<string, string>>("pulse_public_key_describe", key);
    return {
      publicKey: said["public_key"] ?? "",
      keyId: said["key_id"] ?? "",
      logFingerprint: said["log_fingerprint"] ?? "",
      fingerprint: said["fingerprint"] ?? "",
    };
  }

  /** Starts a key exchange on the app's side: makes an ephemeral key. */
  startHandshake(): Handshake {
    return new Handshake(this.#engine, this.#engine.make("pulse_handshake_start"));
  }

  /** Makes a new identity. */
  generateIdentity(): Identity {
    return new Identity(this.#engine, this.#engine.make("pulse_identity_generate"));
  }

  /** The identity of a private key in base64, as a relay config has it. */
  identityFromPrivateKey(privateKey: string): Identity {
    return new Identity(this.#engine, this.#engine.make("pulse_identity_from_private_key", privateKey));
  }

  /** The bytes of a frame. */
  encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
    return encodeFrame(this.#engine, frame);
  }

  /** Reads a frame; its payload is part of `bytes`. */
  decodeFrame(bytes: Uint8Array): Frame {
    return decodeFrame(this.#engine, bytes);
  }
}
