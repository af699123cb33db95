import { type Frame, FrameType, type PulseTrust } from "@pulse/trust";

/** Node 20 has no WebSocket of its own. */
const Socket = globalThis.WebSocket ?? ((await import("ws")).WebSocket as unknown as typeof WebSocket);

/** A phone's connection to the relay: frames out, frames in, one after the other. */
export class RelaySocket {
  readonly #pulse: PulseTrust;
  readonly #socket: WebSocket;
  readonly #received: Frame[] = [];
  #waiting: { resolve: (frame: Frame) => void; reject: (reason: Error) => void } | undefined;
  #ended: Error | undefined;

  /** Connects to the URL of a pairing code. */
  static async connect(pulse: PulseTrust, url: string, timeoutMs: number): Promise<RelaySocket> {
    const socket = new Socket(url);
    socket.binaryType = "arraybuffer";
    const relay = new RelaySocket(pulse, socket);
    const timer = setTimeout(() => relay.#end(new Error(`the relay said nothing for ${timeoutMs} ms`)), timeoutMs);
    socket.addEventListener("close", () => clearTimeout(timer));
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("close", () => reject(relay.#ended ?? new Error("the connection was refused")));
    });
    return relay;
  }

  private constructor(pulse: PulseTrust, socket: WebSocket) {
    this.#pulse = pulse;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(data as ArrayBuffer | string));
    socket.addEventListener("error", () => this.#end(new Error("the connection to the relay failed")));
    socket.addEventListener("close", () => this.#end(new Error("the relay closed the connection")));
  }

  send(type: FrameType, channel: number, payload: Uint8Array): void {
    this.#socket.send(this.#pulse.encodeFrame({ type, channel, payload }));
  }

  /** The payload of the next frame, which must be of this type; an ERROR frame becomes an error. */
  async expect(type: FrameType): Promise<Uint8Array> {
    const frame = await this.#next();
    if (frame.type === FrameType.ERROR) {
      const { code, message } = JSON.parse(new TextDecoder().decode(frame.payload)) as Record<string, unknown>;
      throw new Error(`the relay refuses: ${String(code)}: ${String(message)}`);
    }
    if (frame.type !== type) throw new Error(`expected a frame of type ${type}, received ${frame.type}`);
    return frame.payload;
  }

  close(): void {
    this.#socket.close();
  }

  #next(): Promise<Frame> {
    const frame = this.#received.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  #take(data: ArrayBuffer | string): void {
    try {
      if (typeof data === "string") throw new Error("the relay sent text");
      const frame = this.#pulse.decodeFrame(new Uint8Array(data));
      if (frame.type === FrameType.PING) return this.send(FrameType.PONG, 0, new Uint8Array());
      if (frame.type === FrameType.PONG) return;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting === undefined) this.#received.push(frame);
      else waiting.resolve(frame);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
    this.#socket.close();
  }
}
