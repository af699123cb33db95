// The specification from which React Native's codegen makes NativePulseTrustCxxSpec. NOT RUN in this repository.
//
// Bytes go over as ArrayBuffer. Codegen before 2026 has no word for it, so they stand as UnsafeObject, which is
// jsi::Object in C++. Sessions are numbers, which the module looks up; 0 is not a session. What the library refuses is thrown
// as an Error with `code`, its stable number.
import type { TurboModule } from "react-native";
import { TurboModuleRegistry } from "react-native";
import type { UnsafeObject } from "react-native/Libraries/Types/CodegenTypes";

export interface Spec extends TurboModule {
  /** Checks a scanned code: `instance_id`, `relay_url`, `auth_token` and so on as JSON, with the secret token. */
  readonly parsePairingCode: (scanned: string) => string;
  readonly qrSvg: (text: string) => string;

  /** A phone's end of a conversation; phone.ts drives it. The settings are those of `pulse_session_new_phone`. */
  readonly newPhoneSession: (scanned: string, settings: string) => number;
  readonly feedSession: (
    session: number, what: number, connection: number, data: UnsafeObject, monotonicMs: number, now: number,
  ) => void;
  /** `{ what, connection, message, text }`: bytes where a message is to be sent, a text elsewhere. */
  readonly pollSession: (session: number) => UnsafeObject;
  readonly sessionDeadline: (session: number) => number;
  readonly actOnSession: (session: number, act: string, monotonicMs: number, now: number) => string;
  /** Wipes and frees a session. */
  readonly closeSession: (session: number) => void;
}

export default TurboModuleRegistry.getEnforcing<Spec>("NativePulseTrust");
