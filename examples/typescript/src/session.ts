import type { Engine } from "./engine.js";
import { Closable } from "./handle.js";

/** What a session is told: `PULSE_FEED_...` of the C header. */
const Feed = { START: 1, STOP: 2, CONNECTED: 3, MESSAGE: 4, DISCONNECTED: 5, TIMEOUT: 6 } as const;
/** What a session wants done: `PULSE_DO_...` of the C header. */
const Do = { NOTHING: 0, CONNECT: 1, SEND: 2, DISCONNECT: 3, EVENT: 4 } as const;

/** What a phone says beyond its pairing code. */
export interface PhoneSettings {
  /** **Secret**: where notifications are sent. */
  readonly device_token?: string;
  /** `ios` or `android`. */
  readonly platform?: string;
  /** How long a request waits for its answer; 35,000 where it is left out. */
  readonly answer_ms?: number;
}

/** An answer of the instance, or a piece of one: bodies are base64. */
export interface PhoneResponse {
  readonly id: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly stream?: boolean;
  readonly stream_done?: boolean;
}

/** What a phone's session tells its program. */
export type PhoneEvent =
  /** The instance has proved its identity: requests may be made. */
  | { readonly event: "ready" }
  | { readonly event: "response"; readonly request: number; readonly response: PhoneResponse; readonly is_last: boolean }
  | { readonly event: "request_failed"; readonly request: number; readonly reason: string }
  | {
      readonly event: "refused";
      readonly error: { readonly code: string; readonly message: string };
      readonly advice: "wait" | "check_instance" | "pair_again" | "check_subscription";
      readonly retry_at?: number;
    }
  /** Whoever answered is not the paired instance. The session has stopped: warn the user. */
  | {
      readonly event: "identity_refused";
      readonly error: { readonly code: number; readonly name: string; readonly message: string };
    }
  | { readonly event: "draining"; readonly reason: string }
  | { readonly event: "disconnected"; readonly reason: string; readonly message: string; readonly retry_at?: number };

/** What a WebSocket has to have: that of browsers has it, and so has the package `ws`. */
export type SocketConstructor = new (url: string) => WebSocket;

/**
 * A phone's end of a conversation. It decides who opens, verifies, counts, closes and comes back; here it gets a socket
 * and a clock. `handle` is told every event, in order.
 */
export class PhoneSession extends Closable {
  readonly #engine: Engine;
  readonly #socketOf: SocketConstructor;
  readonly #handle: (event: PhoneEvent) => void;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @internal */
  constructor(engine: Engine, pointer: number, socketOf: SocketConstructor, handle: (event: PhoneEvent) => void) {
    super(engine, "pulse_session_free", pointer);
    this.#engine = engine;
    this.#socketOf = socketOf;
    this.#handle = handle;
  }

  /** Begins to connect, also where the session has stopped by itself. */
  start(): void {
    this.#feed(Feed.START);
  }

  /** Closes the connection; every request that waits fails. */
  stop(): void {
    this.#feed(Feed.STOP);
  }

  /** Asks the instance something, after the event `ready`. Events name it by the number that is returned. */
  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body = ""): number {
    const act = JSON.stringify({ act: "request", method, path, headers, body });
    const { request } = this.#engine.json<{ request: number }>("pulse_session_act", this.handle(), act, ...now());
    this.#obey();
    return request;
  }

  override close(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
    super.close();
  }

  #feed(what: number, connection = 0, data: Uint8Array = new Uint8Array()): void {
    // What a socket reports late is of no use any more.
    if (this.closed) return;
    this.#engine.invoke("pulse_session_feed", [this.handle(), what, connection, data, ...now()], 0);
    this.#obey();
  }

  /** Does what the session wants until it wants nothing more, and sets the clock. */
  #obey(): void {
    while (!this.closed) {
      const [what = Do.NOTHING, connection = 0, buffer = 0] = this.#engine.invoke("pulse_session_poll", [this.handle()], 3);
      const data = this.#engine.takeBuffer(buffer);
      if (what === Do.NOTHING) break;
      else if (what === Do.CONNECT) this.#connect(connection, text(data));
      else if (what === Do.SEND) this.#socket?.send(data);
      else if (what === Do.DISCONNECT) this.#disconnect();
      else this.#handle(JSON.parse(text(data)) as PhoneEvent);
    }
    clearTimeout(this.#timer);
    if (this.closed) return;
    const deadline = this.#engine.int64("pulse_session_deadline", this.handle());
    if (deadline < 0) return;
    const wait = Math.max(0, deadline - performance.now());
    this.#timer = setTimeout(() => this.#feed(Feed.TIMEOUT), wait);
  }

  #connect(connection: number, url: string): void {
    const socket = new this.#socketOf(url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#feed(Feed.CONNECTED, connection));
    socket.addEventListener("close", () => this.#feed(Feed.DISCONNECTED, connection));
    // A close follows.
    socket.addEventListener("error", () => undefined);
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) this.#feed(Feed.MESSAGE, connection, new Uint8Array(data));
      else socket.close();
    });
  }

  #disconnect(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

/** The two clocks of a call: one that never goes back, and the calendar. */
function now(): [monotonicMs: bigint, unixSeconds: bigint] {
  return [BigInt(Math.ceil(performance.now())), BigInt(Math.floor(Date.now() / 1000))];
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
