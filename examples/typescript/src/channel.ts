import { type Engine, invalid } from "./engine.js";
import { Closable } from "./handle.js";

/** The app's side of a key exchange, between its message and the instance's. */
export class Handshake extends Closable {
  readonly #engine: Engine;

  /** @internal */
  constructor(engine: Engine, pointer: number) {
    super(engine, "pulse_handshake_free", pointer);
    this.#engine = engine;
  }

  /** The payload of the app's KEY_EXCHANGE frame. */
  message(): Uint8Array<ArrayBuffer> {
    return this.#engine.bytes("pulse_handshake_message", this.handle());
  }

  /**
   * Takes the payload of the instance's KEY_EXCHANGE frame. The channel is there only if the identity of the pairing
   * code signed it; else `KEY_EXCHANGE_SIGNATURE` is thrown. A handshake can be finished once, whatever comes of it.
   */
  finish(instanceMessage: Uint8Array, identityPublicKey: string): Channel {
    const pointer = this.#engine.make(
      "pulse_handshake_finish",
      this.handle(),
      instanceMessage,
      identityPublicKey,
    );
    return new Channel(this.#engine, pointer);
  }
}

/** One side of an established channel. */
export class Channel extends Closable {
  readonly #engine: Engine;

  /** @internal */
  constructor(engine: Engine, pointer: number) {
    super(engine, "pulse_channel_free", pointer);
    this.#engine = engine;
  }

  /** Seals a message: the payload of a DATA frame. */
  seal(plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#engine.bytes("pulse_channel_seal", this.handle(), plaintext);
  }

  /** Opens the payload of a DATA frame. A message that is refused changes nothing. */
  open(sealed: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#engine.bytes("pulse_channel_open", this.handle(), sealed);
  }
}

/** The key pair by which a phone knows an instance again: the instance's side, for tests and stand-ins. */
export class Identity extends Closable {
  readonly #engine: Engine;

  /** @internal */
  constructor(engine: Engine, pointer: number) {
    super(engine, "pulse_identity_free", pointer);
    this.#engine = engine;
  }

  /** What a pairing code carries: standard base64. */
  publicKey(): string {
    return this.#engine.text("pulse_identity_public_key", this.handle());
  }

  /** What people compare: 32 upper-case hex pairs joined by `:`. */
  fingerprint(): string {
    return this.#engine.text("pulse_identity_fingerprint", this.handle());
  }

  /** **Secret**: the private key in base64, to be sealed in a relay config. */
  secretPrivateKey(): string {
    return this.#engine.text("pulse_identity_secret_private_key", this.handle());
  }

  /** Takes the payload of the app's KEY_EXCHANGE frame, and gives the channel and the payload to answer with. */
  accept(appMessage: Uint8Array): { channel: Channel; answer: Uint8Array<ArrayBuffer> } {
    const [channel, answer] = this.#engine.invoke("pulse_channel_accept", [this.handle(), appMessage], 2);
    if (channel === undefined || answer === undefined) throw invalid("pulse_channel_accept gave no channel");
    return { channel: new Channel(this.#engine, channel), answer: this.#engine.takeBuffer(answer) };
  }
}
