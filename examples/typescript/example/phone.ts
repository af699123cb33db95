import { FrameType, PulseCode, PulseError, type PulseTrust } from "@pulse/trust";

import { RelaySocket } from "./relay_socket.js";

/** What the phone got. */
export interface Fetched {
  /** For the user to compare with the one on the instance's screen. */
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 30_000;

/** Pairs with a scanned code and fetches a path of the instance, through a channel that the relay cannot read. */
export async function pairAndFetch(pulse: PulseTrust, scanned: string, path: string): Promise<Fetched> {
  using code = pulse.parsePairingCode(scanned);
  const { identityPublicKey, identityFingerprint } = code;
  if (identityPublicKey === undefined || identityFingerprint === undefined) {
    // Without it, whoever runs the relay could pass for the instance.
    throw new PulseError(PulseCode.PAIRING_NO_IDENTITY, "the code has no identity to authenticate the instance by");
  }
  const relay = await RelaySocket.connect(pulse, code.relayUrl, TIMEOUT_MS);
  try {
    const connect = { instance_id: code.instanceId, auth_token: code.secretAuthToken(), platform: "node" };
    relay.send(FrameType.CONNECT, 0, json(connect));
    const ack = read<{ channel_id: number }>(await relay.expect(FrameType.CONNECT_ACK));

    using handshake = pulse.startHandshake();
    relay.send(FrameType.KEY_EXCHANGE, ack.channel_id, handshake.message());
    const answer = await relay.expect(FrameType.KEY_EXCHANGE);
    // Throws KEY_EXCHANGE_SIGNATURE unless the identity of the code signed the answer.
    using channel = handshake.finish(answer, identityPublicKey);

    const request = { id: "1", method: "GET", path };
    relay.send(FrameType.DATA, ack.channel_id, channel.seal(json(request)));
    const sealed = await relay.expect(FrameType.DATA);
    const response = read<{ id: string; status: number; body?: string }>(channel.open(sealed));
    if (response.id !== request.id) throw new Error("the answer is to another request");
    const body = Uint8Array.from(atob(response.body ?? ""), (character) => character.charCodeAt(0));
    return { fingerprint: identityFingerprint, status: response.status, body: new TextDecoder().decode(body) };
  } finally {
    relay.close();
  }
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function read<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}
