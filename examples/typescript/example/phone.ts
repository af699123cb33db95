import { type PhoneEvent, PulseError, type PulseTrust, type SocketConstructor } from "@pulse/trust";

/** Node 20 has no WebSocket of its own. */
const socket = globalThis.WebSocket ?? ((await import("ws")).WebSocket as unknown as SocketConstructor);

/** What the phone got. */
export interface Fetched {
  /** For the user to compare with the one on the instance's screen. */
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 30_000;

/**
 * Pairs with a scanned code and fetches a path of the instance, through a channel that the relay cannot read. The first
 * refusal or loss is an error here; an app leaves it to the session to come back.
 */
export async function pairAndFetch(pulse: PulseTrust, scanned: string, path: string): Promise<Fetched> {
  using code = pulse.parsePairingCode(scanned);
  const { promise, resolve, reject } = outcome();
  const handle = (event: PhoneEvent): void => {
    switch (event.event) {
      case "ready":
        session.request("GET", path);
        break;
      case "response":
        resolve({ fingerprint: code.identityFingerprint ?? "", status: event.response.status, body: textOf(event.response.body) });
        break;
      case "identity_refused":
        reject(new PulseError(event.error.code, event.error.message));
        break;
      case "refused":
        reject(new Error(`the relay refuses: ${event.error.code}: ${event.error.message}`));
        break;
      case "request_failed":
      case "disconnected":
        reject(new Error(`no answer: ${event.reason}`));
        break;
    }
  };
  const session = pulse.phoneSession(scanned, handle, { settings: { platform: "node" }, socket });
  const timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    session.start();
    return await promise;
  } finally {
    clearTimeout(timer);
    session.stop();
    session.close();
  }
}

function outcome(): {
  promise: Promise<Fetched>;
  resolve: (fetched: Fetched) => void;
  reject: (reason: Error) => void;
} {
  let resolve: (fetched: Fetched) => void = () => undefined;
  let reject: (reason: Error) => void = () => undefined;
  const promise = new Promise<Fetched>((onDone, onFailed) => ([resolve, reject] = [onDone, onFailed]));
  return { promise, resolve, reject };
}

function textOf(body = ""): string {
  return new TextDecoder().decode(Uint8Array.from(atob(body), (character) => character.charCodeAt(0)));
}
