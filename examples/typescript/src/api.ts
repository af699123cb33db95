// What both entries, index.ts and node.ts, have in common.
export { Channel, Handshake, Identity } from "./channel.js";
export { FrameType, PulseCode, type PulseCodeName } from "./codes.js";
export type { Diagnostic } from "./diagnostic.js";
export { PulseError, codeName } from "./errors.js";
export type { Frame } from "./frame.js";
export { Closable } from "./handle.js";
export { type Source, load } from "./load.js";
export {
  PAIRING_CHECKS,
  type PairingCheck,
  type PairingCheckName,
  type PairingReport,
} from "./pairing_checks.js";
export { PairingCode } from "./pairing_code.js";
export {
  type ConnectionCheck,
  PairingOffer,
  type PairingRequest,
  type RelayConfig,
} from "./pairing_offer.js";
export { type PublicKeyDescription, PulseTrust } from "./pulse_trust.js";
export {
  type NotificationPreferences,
  type PhoneEvent,
  type PhoneResponse,
  PhoneSession,
  type PhoneSettings,
  type SessionCalls,
  type SessionStep,
  type SocketConstructor,
} from "./session.js";
