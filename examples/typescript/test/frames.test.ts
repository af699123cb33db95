import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameType, loadPulseTrust } from "@pulse/trust";

import { bytes, hex, refused, vectors } from "./common.js";

interface Vectors {
  readonly frames: readonly {
    name: string;
    type: keyof typeof FrameType;
    channel: number;
    payload_text: string | null;
    frame_hex: string;
  }[];
  readonly decode: readonly { name: string; hex: string; error: keyof typeof errors | "" }[];
  readonly payload_sizes: Readonly<Record<string, boolean>>;
}

const errors = {
  too_short: "FRAME_TOO_SHORT",
  unsupported_version: "FRAME_VERSION",
  unknown_type: "FRAME_TYPE",
  payload_too_large: "FRAME_TOO_LARGE",
} as const;

const pulse = await loadPulseTrust();
const v = vectors<Vectors>("frames.json");

test("frames are read and written as the deployed runtime does", () => {
  assert.ok(v.frames.length > 0);
  for (const { name, type, channel, payload_text, frame_hex } of v.frames) {
    const frame = pulse.decodeFrame(bytes(frame_hex));
    assert.equal(frame.type, FrameType[type], name);
    assert.equal(frame.channel, channel, name);
    if (payload_text !== null) assert.equal(Buffer.from(frame.payload).toString(), payload_text, name);
    assert.equal(hex(pulse.encodeFrame(frame)), frame_hex, name);
  }
});

test("bytes that are not a frame are refused, each class with its number", () => {
  const refusals = v.decode.filter(({ error }) => error !== "");
  assert.ok(refusals.length > 0 && refusals.length < v.decode.length);
  for (const { hex, error } of v.decode) {
    if (error === "") pulse.decodeFrame(bytes(hex));
    else refused(errors[error], () => pulse.decodeFrame(bytes(hex)));
  }
});

test("payloads are taken up to the limit", () => {
  for (const [size, allowed] of Object.entries(v.payload_sizes)) {
    const frame = { type: FrameType.DATA, channel: 7, payload: new Uint8Array(Number(size)).fill(3) };
    if (allowed) assert.deepEqual(pulse.decodeFrame(pulse.encodeFrame(frame)), frame, size);
    else refused("FRAME_TOO_LARGE", () => pulse.encodeFrame(frame));
  }
});

test("a channel may be any number of 32 bits", () => {
  const frame = { type: FrameType.DATA, channel: 0xffff_fffe, payload: new Uint8Array() };
  assert.equal(pulse.decodeFrame(pulse.encodeFrame(frame)).channel, 0xffff_fffe);
});
