import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  type Channel,
  FrameType,
  type Identity,
  type PhoneEvent,
  type PhoneSession,
  type PulseTrust,
  loadPulseTrust,
} from "@pulse/trust";

import { refused, utf8, vectors } from "./common.js";

let pulse: PulseTrust;
let instance: Identity;
let code: string;
const sessions: PhoneSession[] = [];

before(async () => {
  pulse = await loadPulseTrust();
  instance = pulse.generateIdentity();
  code =
    `pulse://connect?auth_token=tok_1&identity_public_key=${encodeURIComponent(instance.publicKey())}` +
    "&instance_id=relay_2e1b0929e6fd7c52&relay_url=wss%3A%2F%2Frelay.example.test%2Fws%2Fapp";
});

after(() => {
  for (const session of sessions) session.close();
});

/** A socket that nothing is behind: the test plays the relay. */
class PlayedSocket extends EventTarget {
  static last: PlayedSocket | undefined;
  binaryType = "blob";
  closed = false;
  readonly #sent: Uint8Array[] = [];

  constructor(readonly url: string) {
    super();
    PlayedSocket.last = this;
  }

  send(message: Uint8Array): void {
    this.#sent.push(message);
  }

  close(): void {
    this.closed = true;
  }

  opened(): void {
    this.dispatchEvent(new Event("open"));
  }

  /** The next frame that was sent. */
  sent() {
    const message = this.#sent.shift();
    assert.ok(message !== undefined, "nothing was sent");
    return pulse.decodeFrame(message);
  }

  get isQuiet(): boolean {
    return this.#sent.length === 0;
  }

  receive(type: FrameType, payload: Uint8Array, channel = 7): void {
    const { buffer: data } = pulse.encodeFrame({ type, channel, payload });
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

function begin(settings = {}): { session: PhoneSession; events: PhoneEvent[]; socket: PlayedSocket } {
  const events: PhoneEvent[] = [];
  const socketOf = PlayedSocket as unknown as typeof WebSocket;
  const session = pulse.phoneSession(code, (event) => events.push(event), { settings, socket: socketOf });
  sessions.push(session);
  session.start();
  const socket = PlayedSocket.last;
  assert.equal(socket?.url, "wss://relay.example.test/ws/app");
  return { session, events, socket };
}

/** Brings a session to its key exchange, whose message it gives. */
function exchangingKeys(settings = {}) {
  const begun = begin(settings);
  begun.socket.opened();
  const connect = begun.socket.sent();
  assert.equal(connect.type, FrameType.CONNECT);
  const ack = { channel_id: 7, instance_id: "relay_2e1b0929e6fd7c52" };
  begun.socket.receive(FrameType.CONNECT_ACK, utf8(JSON.stringify(ack)), 0);
  const hello = begun.socket.sent();
  assert.deepEqual([hello.type, hello.channel], [FrameType.KEY_EXCHANGE, 7]);
  return { ...begun, connect, hello };
}

/** Brings a session to where it may ask. */
function secured() {
  const begun = exchangingKeys();
  const { channel, answer } = instance.accept(begun.hello.payload);
  begun.socket.receive(FrameType.KEY_EXCHANGE, answer);
  assert.deepEqual(begun.events.splice(0), [{ event: "ready" }]);
  return { ...begun, channel };
}

function answered(channel: Channel, socket: PlayedSocket, answer: object): void {
  socket.receive(FrameType.DATA, channel.seal(utf8(JSON.stringify(answer))));
}

test("CONNECT is written as deployed", () => {
  const { frames } = vectors<{ frames: { name: string; payload_text: string }[] }>("frames.json");
  const deployed = frames.find(({ name }) => name === "connect")?.payload_text ?? "";
  const { device_token, platform, notification_preferences } = JSON.parse(deployed) as Record<string, unknown>;
  const { connect } = exchangingKeys({ device_token, platform, notification_preferences });
  assert.equal(new TextDecoder().decode(connect.payload), deployed);
});

test("a request is answered, in pieces", () => {
  const { session, events, socket, channel } = secured();
  const request = session.request("POST", "/api/x?y=1", { B: "2", A: "1" }, "AAH/");
  const sent = socket.sent();
  assert.equal(sent.type, FrameType.DATA);
  const plain = `{"id":"${request}","method":"POST","path":"/api/x?y=1","headers":{"A":"1","B":"2"},"body":"AAH/"}`;
  assert.equal(new TextDecoder().decode(channel.open(sent.payload)), plain);
  const id = String(request);
  answered(channel, socket, { id, status: 200, body: "aGE=", stream: true });
  answered(channel, socket, { id, status: 200, stream: true, stream_done: true });
  assert.deepEqual(
    events.map((event) => event.event === "response" && [event.request, event.response.body, event.is_last]),
    [
      [request, "aGE=", false],
      [request, undefined, true],
    ],
  );
});

test("before the identity is verified nothing may be asked", () => {
  const { session } = begin();
  refused("SESSION_NOT_OPEN", () => session.request("GET", "/"));
});

test("a request that is given up fails as such, and its answer is dropped", () => {
  const { session, events, socket, channel } = secured();
  const request = session.request("GET", "/");
  session.cancel(request);
  assert.deepEqual(events.splice(0), [{ event: "request_failed", request, reason: "canceled" }]);
  answered(channel, socket, { id: String(request), status: 204 });
  assert.deepEqual(events, []);
});

test("another identity gets nothing, and the session stops", () => {
  const { session, events, socket, hello } = exchangingKeys();
  const { answer } = pulse.generateIdentity().accept(hello.payload);
  socket.receive(FrameType.KEY_EXCHANGE, answer);
  assert.equal(events[0]?.event, "identity_refused");
  assert.ok(socket.closed && socket.isQuiet);
  refused("SESSION_NOT_OPEN", () => session.request("GET", "/"));
});

test("a lost connection fails what waits, and is followed by another", { timeout: 20_000 }, async () => {
  const { session, events, socket } = secured();
  const request = session.request("GET", "/");
  socket.dispatchEvent(new Event("close"));
  assert.deepEqual(events[0], { event: "request_failed", request, reason: "disconnected" });
  assert.equal(events[1]?.event, "disconnected");
  // The timer of the back-off runs.
  while (PlayedSocket.last === socket) await new Promise((resolve) => setTimeout(resolve, 20));
  session.close();
});

test("a text message ends the connection", () => {
  const { socket } = secured();
  socket.dispatchEvent(new MessageEvent("message", { data: "text" }));
  assert.ok(socket.closed);
});

test("a closed session is quiet", () => {
  const { session, events, socket } = secured();
  {
    using ended = session;
    assert.equal(ended, session);
  }
  assert.ok(socket.closed);
  socket.dispatchEvent(new Event("close"));
  session.start();
  session.close();
  assert.deepEqual(events, []);
  refused("INVALID_ARGUMENT", () => session.request("GET", "/"));
});
