import { PulseCode } from "./codes.js";
import type { Diagnostic } from "./diagnostic.js";
import { PulseError } from "./errors.js";
import { hostImports } from "./host.js";

/** An argument of a C function: a number or handle as it is (a bigint for 64 bits), a text or bytes as pointer and length. */
export type Argument = number | bigint | string | Uint8Array;

type Exported = (...numbers: (number | bigint)[]) => number;

/** An output has room for a pointer or a number of up to 8 bytes. */
const OUTPUT_LEN = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * One instance of the module, with memory of its own. A call runs to its end before the next one begins.
 *
 * A bug in the library traps, as WebAssembly cannot unwind. The memory cannot be trusted after that: it is wiped, and
 * the instance takes no further call. It holds no lock of its host's, which has no files here.
 */
export class Engine {
  readonly #exports: WebAssembly.Exports;
  readonly #memory: WebAssembly.Memory;
  #trapped = false;

  static async instantiate(module: WebAssembly.Module): Promise<Engine> {
    let memory: WebAssembly.Memory | undefined;
    const imports = hostImports(() => {
      if (memory === undefined) throw new Error("the module calls its host before it is ready");
      return memory.buffer;
    });
    const instance = await WebAssembly.instantiate(module, imports);
    memory = instance.exports["memory"] as WebAssembly.Memory;
    return new Engine(instance.exports, memory);
  }

  private constructor(exports: WebAssembly.Exports, memory: WebAssembly.Memory) {
    this.#exports = exports;
    this.#memory = memory;
  }

  /** Calls a function that can fail, and gives the numbers it wrote to its outputs. */
  invoke(name: string, given: readonly Argument[], outputs: number): number[] {
    const taken: [pointer: number, length: number][] = [];
    const allocate = (length: number): number => {
      const pointer = this.#call("pulse_wasm_alloc", length) >>> 0;
      if (pointer === 0) throw invalid(`no memory for an argument of ${length} bytes`);
      taken.push([pointer, length]);
      return pointer;
    };
    try {
      const passed = given.flatMap((argument) => this.#pass(argument, allocate));
      const outs = Array.from({ length: outputs + 1 }, () => allocate(OUTPUT_LEN));
      const status = this.#call(name, ...passed, ...outs);
      const written = outs.map((place) => this.#number(place));
      const error = written.pop() ?? 0;
      if (status !== 0) throw this.#takeError(status, error);
      return written;
    } finally {
      if (!this.#trapped) for (const [pointer, length] of taken) this.#call("pulse_wasm_free", pointer, length);
    }
  }

  /** The handle that a function makes. */
  make(name: string, ...given: Argument[]): number {
    return this.invoke(name, given, 1)[0] ?? 0;
  }

  /** The bytes that a function gives. */
  bytes(name: string, ...given: Argument[]): Uint8Array<ArrayBuffer> {
    return this.takeBuffer(this.make(name, ...given));
  }

  /** The text that a function gives. */
  text(name: string, ...given: Argument[]): string {
    return this.#readBuffer(this.make(name, ...given), (view) => decoder.decode(view));
  }

  /** The JSON that a function gives; the caller knows its form. */
  json<T>(name: string, ...given: Argument[]): T {
    return JSON.parse(this.text(name, ...given)) as T;
  }

  /** A number of 64 bits that a function gives, where it fits in one of ours. */
  int64(name: string, handle: number): number {
    return Number(this.#call(name, handle));
  }

  /** Copies a buffer, wipes it and frees it. */
  takeBuffer(buffer: number): Uint8Array<ArrayBuffer> {
    return this.#readBuffer(buffer, (view) => view.slice());
  }

  /** A text that lives as long as the module. */
  staticText(name: string): string {
    return this.#cText(this.#call(name)) ?? "";
  }

  /** Wipes and frees a handle. */
  free(name: string, handle: number): void {
    if (!this.#trapped) this.#call(name, handle);
  }

  #pass(argument: Argument, allocate: (length: number) => number): (number | bigint)[] {
    if (typeof argument === "number" || typeof argument === "bigint") return [argument];
    if (argument instanceof Uint8Array) return this.#write(argument, allocate);
    if (typeof argument !== "string") throw invalid("an argument is neither a text nor a Uint8Array");
    const bytes = encoder.encode(argument);
    try {
      return this.#write(bytes, allocate);
    } finally {
      bytes.fill(0); // it may be a secret
    }
  }

  #write(bytes: Uint8Array, allocate: (length: number) => number): number[] {
    if (bytes.length === 0) return [0, 0];
    const pointer = allocate(bytes.length);
    new Uint8Array(this.#memory.buffer, pointer, bytes.length).set(bytes);
    return [pointer, bytes.length];
  }

  #call(name: string, ...numbers: (number | bigint)[]): number {
    if (this.#trapped) throw caught();
    try {
      return (this.#exports[name] as Exported)(...numbers);
    } catch {
      this.#trapped = true;
      new Uint8Array(this.#memory.buffer).fill(0);
      throw caught();
    }
  }

  #readBuffer<T>(buffer: number, read: (view: Uint8Array<ArrayBuffer>) => T): T {
    const place = this.#call("pulse_buffer_data", buffer) >>> 0;
    const length = this.#call("pulse_buffer_len", buffer) >>> 0;
    try {
      return read(new Uint8Array(this.#memory.buffer, place, length));
    } finally {
      this.#call("pulse_buffer_free", buffer);
    }
  }

  #takeError(status: number, error: number): PulseError {
    const get = (name: string) => this.#cText(this.#call(name, error));
    const message = get("pulse_error_message") ?? "";
    const wireCode = get("pulse_error_wire_code");
    const detail = get("pulse_error_detail_json");
    this.#call("pulse_error_free", error);
    const diagnostics = detail === undefined ? undefined : (JSON.parse(detail) as Diagnostic[]);
    return new PulseError(status, message, { wireCode, diagnostics });
  }

  #cText(place: number): string | undefined {
    if (place === 0) return undefined;
    const rest = new Uint8Array(this.#memory.buffer, place >>> 0);
    return decoder.decode(rest.subarray(0, rest.indexOf(0)));
  }

  #number(place: number): number {
    return new DataView(this.#memory.buffer).getUint32(place, true);
  }
}

/** An error of the caller's, with the number that the library has for it. */
export function invalid(message: string): PulseError {
  return new PulseError(PulseCode.INVALID_ARGUMENT, message);
}

function caught(): PulseError {
  return new PulseError(PulseCode.PANIC, "a bug in pulse-trust was caught: this instance takes no further call, load another one");
}
