// A phone in React Native: the session of the package over the native module. NOT RUN in this repository.
import { type PhoneEvent, PhoneSession, type PhoneSettings, type SessionCalls, type SessionStep } from "@pulse/trust/session";

import native from "./NativePulseTrust";

/** A phone's end of a conversation with the instance of a scanned code; `start` begins it. `handle` is told every event. */
export function phoneSession(scanned: string, handle: (event: PhoneEvent) => void, settings: PhoneSettings = {}): PhoneSession {
  // It spreads waiting times, and no key depends on it.
  const seed = Math.floor(Math.random() * 2 ** 32);
  const session = native.newPhoneSession(scanned, JSON.stringify({ ...settings, seed }));
  const calls: SessionCalls = {
    feed: (what, connection, data, monotonicMs, now) =>
      native.feedSession(session, what, connection, exactly(data), monotonicMs, now),
    poll: () => native.pollSession(session) as unknown as SessionStep,
    deadline: () => native.sessionDeadline(session),
    act: (act, monotonicMs, now) => native.actOnSession(session, act, monotonicMs, now),
    close: () => native.closeSession(session),
  };
  return new PhoneSession(calls, WebSocket, handle);
}

/** The bytes and no others of the buffer that they lie in. */
function exactly(data: Uint8Array): ArrayBuffer {
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
}
