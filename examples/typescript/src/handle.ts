/// <reference lib="esnext.disposable" preserve="true" />
import { disposeByClosing } from "./dispose.js";
import { type Engine, invalid } from "./engine.js";

/** What is to be freed where nobody called `close`. It must not refer to the object it belongs to. */
type Held = { readonly engine: Engine; readonly free: string; readonly pointer: number };

/** The net for what was never closed. */
const net = new FinalizationRegistry<Held>(({ engine, free, pointer }) => engine.free(free, pointer));

/** Something of the library's that holds a secret: `close()` wipes it, or `using` does, or late the garbage collector. */
export abstract class Closable implements Disposable {
  readonly #engine: Engine;
  readonly #free: string;
  #pointer: number;

  /** @internal */
  protected constructor(engine: Engine, free: string, pointer: number) {
    this.#engine = engine;
    this.#free = free;
    this.#pointer = pointer;
    net.register(this, { engine, free, pointer }, this);
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#pointer === 0;
  }

  /** Wipes and frees it. Closing twice does nothing. */
  close(): void {
    if (this.#pointer === 0) return;
    net.unregister(this);
    this.#engine.free(this.#free, this.#pointer);
    this.#pointer = 0;
  }

  declare [Symbol.dispose]: () => void;

  /** @internal The handle, for a call. */
  protected handle(): number {
    if (this.#pointer === 0) throw invalid("this value was closed: make another one");
    return this.#pointer;
  }
}

disposeByClosing(Closable);
