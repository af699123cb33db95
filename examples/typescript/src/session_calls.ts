import { SessionDo } from "./codes.js";
import type { Engine } from "./engine.js";
import { Closable } from "./handle.js";
import type { SessionCalls, SessionStep } from "./session.js";

const decoder = new TextDecoder();

/** A session in the WebAssembly. */
export class EngineSession extends Closable implements SessionCalls {
  readonly #engine: Engine;

  constructor(engine: Engine, scanned: string, settings: string) {
    super(engine, "pulse_session_free", engine.make("pulse_session_new_phone", scanned, settings));
    this.#engine = engine;
  }

  feed(what: number, connection: number, data: Uint8Array, monotonicMs: number, now: number): void {
    this.#engine.invoke("pulse_session_feed", [this.handle(), what, connection, data, BigInt(monotonicMs), BigInt(now)], 0);
  }

  poll(): SessionStep {
    const [what = SessionDo.NOTHING, connection = 0, buffer = 0] = this.#engine.invoke("pulse_session_poll", [this.handle()], 3);
    const message = this.#engine.takeBuffer(buffer);
    return { what, connection, message, text: what === SessionDo.SEND ? "" : decoder.decode(message) };
  }

  deadline(): number {
    return this.#engine.int64("pulse_session_deadline", this.handle());
  }

  act(act: string, monotonicMs: number, now: number): string {
    return this.#engine.text("pulse_session_act", this.handle(), act, BigInt(monotonicMs), BigInt(now));
  }
}
