import type { FrameType } from "./codes.js";
import type { Engine } from "./engine.js";

/** One message between an instance, the relay and a phone: one binary WebSocket message. */
export interface Frame {
  readonly type: FrameType;
  readonly channel: number;
  readonly payload: Uint8Array;
}

/** The frame's bytes. */
export function encodeFrame(engine: Engine, { type, channel, payload }: Frame): Uint8Array<ArrayBuffer> {
  return engine.bytes("pulse_frame_encode", type, channel, payload);
}

/** Reads a frame; its payload is part of `bytes`. */
export function decodeFrame(engine: Engine, bytes: Uint8Array): Frame {
  const [type = 0, channel = 0, offset = 0] = engine.invoke("pulse_frame_decode", [bytes], 3);
  return { type: type as FrameType, channel, payload: bytes.subarray(offset) };
}
