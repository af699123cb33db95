// The specification from which React Native's codegen makes NativePulseTrustCxxSpec. NOT RUN in this repository.
//
// Bytes go over as ArrayBuffer. Codegen before 2026 has no word for it, so they stand as UnsafeObject, which is
// jsi::Object in C++. Handles are numbers, which the module looks up; 0 is not a handle. What the library refuses is thrown as
// an Error with `code`, its stable number.
import type { TurboModule } from "react-native";
import { TurboModuleRegistry } from "react-native";
import type { UnsafeObject } from "react-native/Libraries/Types/CodegenTypes";

export interface Spec extends TurboModule {
  /** Checks a scanned code: `instance_id`, `relay_url`, `auth_token` and so on as JSON, with the secret token. */
  readonly parsePairingCode: (scanned: string) => string;
  readonly qrSvg: (text: string) => string;

  readonly startHandshake: () => number;
  readonly handshakeMessage: (handshake: number) => UnsafeObject;
  /** Gives a channel if the identity of the pairing code signed the instance's message; the handshake is used up. */
  readonly finishHandshake: (handshake: number, instanceMessage: UnsafeObject, identityPublicKey: string) => number;

  readonly seal: (channel: number, plaintext: UnsafeObject) => UnsafeObject;
  readonly open: (channel: number, sealed: UnsafeObject) => UnsafeObject;
  /** Wipes and frees a handshake or a channel. */
  readonly close: (handle: number) => void;

  readonly encodeFrame: (type: number, channel: number, payload: UnsafeObject) => UnsafeObject;
  /** `[type, channel, where the payload begins]`. */
  readonly decodeFrame: (frame: UnsafeObject) => Array<number>;
}

export default TurboModuleRegistry.getEnforcing<Spec>("NativePulseTrust");
