/// <reference lib="esnext.disposable" preserve="true" />
import { SessionDo, SessionFeed } from "./codes.js";
import { disposeByClosing } from "./dispose.js";

/** What a phone says beyond its pairing code. */
export interface PhoneSettings {
  /** Which notifications are wanted; left out it is the relay's to say. */
  readonly notification_preferences?: NotificationPreferences;
  /** **Secret**: where notifications are sent. */
  readonly device_token?: string;
  /** `ios` or `android`. */
  readonly platform?: string;
  /** How long a request waits for its answer; 35,000 where it is left out. */
  readonly answer_ms?: number;
}

/** Which notifications a phone wants. */
export interface NotificationPreferences {
  readonly critical_enabled: boolean;
  readonly warning_enabled: boolean;
  readonly approval_enabled: boolean;
  readonly fix_result_enabled: boolean;
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

/** What a WebSocket has to have: that of browsers has it, and so have React Native's and the package `ws`. */
export type SocketConstructor = new (url: string) => WebSocket;

/** What a session wants done next, on which connection. A message is bytes; a URL, a status code and an event are text. */
export interface SessionStep {
  readonly what: number;
  readonly connection: number;
  readonly message: Uint8Array<ArrayBuffer> | ArrayBuffer;
  readonly text: string;
}

/** The library's calls for one session: of the WebAssembly here, of a native module in React Native. */
export interface SessionCalls {
  feed(what: number, connection: number, data: Uint8Array, monotonicMs: number, now: number): void;
  poll(): SessionStep;
  /** In milliseconds on the monotonic clock; negative for none. */
  deadline(): number;
  act(act: string, monotonicMs: number, now: number): string;
  /** Wipes and frees the session. */
  close(): void;
}

const NOTHING = new Uint8Array();

/**
 * A phone's end of a conversation. It decides who opens, verifies, counts, closes and comes back; here it gets a socket
 * and a clock. `handle` is told every event, in order.
 */
export class PhoneSession implements Disposable {
  readonly #calls: SessionCalls;
  readonly #socketOf: SocketConstructor;
  readonly #handle: (event: PhoneEvent) => void;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** For a library that is reached in another way; `PulseTrust.phoneSession` makes one over the WebAssembly. */
  constructor(calls: SessionCalls, socketOf: SocketConstructor, handle: (event: PhoneEvent) => void) {
    this.#calls = calls;
    this.#socketOf = socketOf;
    this.#handle = handle;
  }

  /** Begins to connect, also where the session has stopped by itself. */
  start(): void {
    this.#feed(SessionFeed.START);
  }

  /** Closes the connection; every request that waits fails. */
  stop(): void {
    this.#feed(SessionFeed.STOP);
  }

  /** Asks the instance something, after the event `ready`. Events name it by the number that is returned. */
  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body = ""): number {
    return this.#act<{ request: number }>({ act: "request", method, path, headers, body }).request;
  }

  /** Gives a request up: it fails as `canceled`, and what still arrives for it is dropped. */
  cancel(request: number): void {
    this.#act({ act: "cancel", request });
  }

  /** Closes the connection and wipes the session. `handle` is not called any more. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#calls.close();
  }

  declare [Symbol.dispose]: () => void;

  #act<T>(act: object): T {
    const result = this.#calls.act(JSON.stringify(act), ...now());
    this.#obey();
    return JSON.parse(result) as T;
  }

  #feed(what: number, connection = 0, data: Uint8Array = NOTHING): void {
    // What a socket reports late is of no use any more.
    if (this.#closed) return;
    this.#calls.feed(what, connection, data, ...now());
    this.#obey();
  }

  /** Does what the session wants until it wants nothing more, and sets the clock. */
  #obey(): void {
    while (!this.#closed) {
      const { what, connection, message, text } = this.#calls.poll();
      if (what === SessionDo.NOTHING) break;
      else if (what === SessionDo.CONNECT) this.#connect(connection, text);
      else if (what === SessionDo.SEND) this.#socket?.send(message);
      else if (what === SessionDo.DISCONNECT) this.#disconnect();
      else this.#handle(JSON.parse(text) as PhoneEvent);
    }
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const deadline = this.#calls.deadline();
    if (deadline < 0) return;
    const wait = Math.max(0, deadline - performance.now());
    this.#timer = setTimeout(() => this.#feed(SessionFeed.TIMEOUT), wait);
  }

  #connect(connection: number, url: string): void {
    const socket = new this.#socketOf(url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#feed(SessionFeed.CONNECTED, connection));
    socket.addEventListener("close", () => this.#feed(SessionFeed.DISCONNECTED, connection));
    // A close follows.
    socket.addEventListener("error", () => undefined);
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) this.#feed(SessionFeed.MESSAGE, connection, new Uint8Array(data));
      else socket.close();
    });
  }

  #disconnect(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

disposeByClosing(PhoneSession);

/** The two clocks of a call: one that never goes back, and the calendar. */
function now(): [monotonicMs: number, unixSeconds: number] {
  return [Math.ceil(performance.now()), Math.floor(Date.now() / 1000)];
}
