import type { Engine } from "./engine.js";

/** The type byte of a frame. */
export const FrameType = {
  REGISTER: 0x01,
  REGISTER_ACK: 0x02,
  CONNECT: 0x03,
  CONNECT_ACK: 0x04,
  CHANNEL_OPEN: 0x05,
  CHANNEL_CLOSE: 0x06,
  DATA: 0x07,
  PING: 0x08,
  PONG: 0x09,
  ERROR: 0x0a,
  DRAIN: 0x0b,
  KEY_EXCHANGE: 0x0c,
  PUSH_NOTIFICATION: 0x0d,
} as const;

/** One of the type bytes. */
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

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
