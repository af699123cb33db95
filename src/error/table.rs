//! The table of the library's errors: meaning, remedy, number, name, fields and message, and for some a wire code.
//! `define.rs` says what a row becomes. `boundary.rs` has the three that a C function answers by itself.
//!
//! `#[wire = ...]` is the code under which a relay refuses a registration for this reason. A row without it means
//! `LICENSE_INVALID`: the registrant's credential is what has to change.

#[cfg(feature = "capi")]
use core::ffi::CStr;
use core::time::Duration;
use std::io;

#[cfg(feature = "capi")]
use super::c_name;
use super::define::error_table;
use super::{ErrorEntry, quoted};
use crate::reason::{DisabledBy, RevokedKind};
use crate::token_kind::TokenKind;
use crate::unix_time::UnixTime;
use crate::wire_error::WireErrorCode;

error_table! {
    /// A key that is not base64 of 32 or 64 bytes.
    #[remedy = "Copy the whole key again."]
    100 "KEY_ENCODING" KeyEncoding { what: &'static str, expected: &'static str, received: usize } => "{what}: expected {expected}, received {received} characters that do not decode to it";
    /// A 64-byte private key whose second half is not the public key of the first.
    #[remedy = "Use the key as it was generated, or its first 32 bytes alone."]
    101 "KEY_MISMATCHED_HALVES" KeyMismatchedHalves => "private key: the public half does not belong to the seed";
    /// A public key that is not the canonical encoding of a point of the prime-order group.
    #[remedy = "Get a valid key from whoever generated it."]
    102 "KEY_WEAK" KeyWeak { reason: &'static str } => "public key refused: {reason}";
    /// No key is configured for this kind of token.
    #[remedy = "Set the variable that the message names."]
    103 "KEY_NOT_CONFIGURED" KeyNotConfigured { kind: TokenKind, setting: &'static str } => "no trust key is configured for a {kind}: set {setting}";
    /// The token's `kid` names none of the configured keys.
    #[remedy = "Configure the new key in addition to the old one, or fetch a new token."]
    104 "KEY_UNKNOWN" KeyUnknown { kid: String } => "the token names key {}, which is not among the configured keys", [quoted(.kid)];
    /// The operating system gave no random bytes.
    #[remedy = "Check the host's random generator. Nothing was created."] #[wire = InternalError]
    105 "RANDOM_UNAVAILABLE" RandomUnavailable { detail: String } => "no random bytes from the operating system: {detail}";
    /// A precomputed table failed its self-check.
    #[remedy = "Restart; if the error comes back, check the machine's memory."] #[wire = InternalError]
    106 "KEY_TABLE_CORRUPT" KeyTableCorrupt => "the precomputed table of a public key failed its self-check";
    /// Two public keys that should be the same are not.
    #[remedy = "Do not pair: get the code again from the instance."]
    107 "KEY_FINGERPRINT_MISMATCH" FingerprintMismatch { expected: String, received: String } => "identity fingerprint: expected {}, the public key has {received}", [quoted(.expected)];
    /// Memory for a precomputed table cannot be had.
    #[remedy = "Give the process more memory, or choose smaller tables."] #[wire = InternalError]
    108 "KEY_TABLE_MEMORY" KeyTableMemory { bytes: usize } => "no memory for the precomputed table of a public key, which takes {bytes} bytes: allow more, or choose a smaller table";

    /// A token or one of its segments is longer than the limit.
    #[remedy = "Check what was passed: no Pulse token is that long."]
    200 "TOKEN_TOO_LARGE" TokenTooLarge { what: &'static str, limit: usize, received: usize } => "{what} is {received} bytes long, at most {limit} are allowed";
    /// A token is not three non-empty segments of strict base64url.
    #[remedy = "Copy the token again, without spaces or line breaks."]
    201 "TOKEN_MALFORMED" TokenMalformed { reason: &'static str } => "malformed token: {reason}";
    /// A token header is not `alg` EdDSA with optional `typ` JWT and `kid`.
    #[remedy = "Check what was passed: Pulse issues no such token."]
    202 "TOKEN_HEADER" TokenHeader { reason: &'static str } => "token header: {reason}";
    /// The signature does not verify under any key configured for this kind.
    #[remedy = "Compare the log fingerprint of the configured key with the issuer's."]
    203 "SIGNATURE_INVALID" SignatureInvalid { kind: TokenKind } => "the signature does not verify under any key configured for a {kind}";
    /// A payload is not a JSON object with each claim at most once.
    #[remedy = "Have the token issued again."]
    204 "PAYLOAD_MALFORMED" PayloadMalformed { reason: String } => "token payload: {reason}";
    /// A claim has the wrong type.
    #[remedy = "Have the token issued again."]
    205 "CLAIM_TYPE" ClaimType { claim: &'static str, expected: &'static str } => "claim {claim}: expected {expected}";
    /// A required claim is missing or empty.
    #[remedy = "Have the token issued again."]
    206 "CLAIM_MISSING" ClaimMissing { claim: &'static str } => "claim {claim} is required and missing or empty";
    /// A token is of another kind than the one asked for.
    #[remedy = "Use the token where its kind is expected."]
    207 "TOKEN_KIND" TokenKind { expected: TokenKind, received: TokenKind } => "expected a {expected}, received a {received}";
    /// A token carries the claims of none of the three kinds.
    #[remedy = "Pass a lease, a license or a grant."]
    208 "TOKEN_KIND_UNKNOWN" TokenKindUnknown => "the token is not a lease (iss), a grant (iid) or a license (lid)";
    /// Claims that cannot be signed as they are.
    #[remedy = "Correct the claims as the message says."]
    209 "CLAIMS_UNSIGNABLE" ClaimsUnsignable { reason: String } => "these claims cannot be signed: {reason}";
    /// A claim has a value that its place does not allow.
    #[remedy = "Have the token issued again, by an issuer that is allowed to."]
    210 "CLAIM_VALUE" ClaimValue { claim: &'static str, expected: &'static str, received: String } => "claim {claim}: expected {expected}, received {}", [quoted(.received)];

    /// A lease from another issuer.
    #[remedy = "Use a lease that the control plane has issued."]
    300 "ISSUER_MISMATCH" IssuerMismatch { expected: &'static str, received: String } => "issuer: expected {expected}, received {}", [quoted(.received)];
    /// A lease for another audience.
    #[remedy = "Use a lease that the control plane has issued."]
    301 "AUDIENCE_MISMATCH" AudienceMismatch { expected: &'static str, received: String } => "audience: expected {expected} alone, received {}", [quoted(.received)];
    /// A token past its expiry, and past its grace where it has one.
    #[remedy = "Refresh the lease or renew the license; if the token should still count, check the clock."] #[wire = LicenseExpired]
    302 "EXPIRED" Expired { kind: TokenKind, expired_at: UnixTime, now: UnixTime } => "the {kind} expired at {expired_at}, the time is {now}";
    /// A token before its `nbf`.
    #[remedy = "Check the clocks of this machine and the issuer."]
    303 "NOT_YET_VALID" NotYetValid { not_before: UnixTime, now: UnixTime } => "the lease is valid from {not_before}, the time is {now}";
    /// A lease without an organization.
    #[remedy = "Have the lease issued again."]
    304 "ORG_MISSING" OrgMissing => "claim org_id is required and missing or empty";
    /// A lease for another organization.
    #[remedy = "Use the lease of that organization."]
    305 "ORG_MISMATCH" OrgMismatch { expected: String, received: String } => "organization: expected {}, received {}", [quoted(.expected), quoted(.received)];
    /// A lease without an instance host.
    #[remedy = "Have the lease issued again."]
    306 "HOST_MISSING" HostMissing => "claim instance_host is required and missing or empty";
    /// A host that has no normal form.
    #[remedy = "Correct the host as the message says."]
    307 "HOST_INVALID" HostInvalid { reason: &'static str } => "host: {reason}";
    /// A lease for another host.
    #[remedy = "Correct `PULSE_PUBLIC_URL`, or use this tenant's lease."]
    308 "HOST_MISMATCH" HostMismatch { expected: String, received: String } => "host: expected {expected}, the lease is for {received}";
    /// The license in a provider-chained lease does not entitle its holder to sign leases.
    #[remedy = "Renew the provider's license."]
    309 "PROVIDER_CHAIN" ProviderChain { source: Box<Error> } => "provider license: {source}";
    /// A clock leeway over the limit.
    #[remedy = "Ask for less leeway, and synchronize the clocks."]
    310 "LEEWAY_TOO_LARGE" LeewayTooLarge { limit: Duration, received: Duration } => "clock leeway of {} ms, at most {} ms are allowed", [.received.as_millis(), .limit.as_millis()];
    /// A license, grant or subscription in a state that grants nothing.
    #[remedy = "Resume the subscription."]
    311 "SUBSCRIPTION_INACTIVE" SubscriptionInactive { kind: TokenKind, state: String } => "the {kind} is in state {}, which grants nothing beyond the free plan", [quoted(.state)];
    /// A token that does not carry the capability asked for.
    #[remedy = "Choose a plan that includes the capability."]
    312 "CAPABILITY_MISSING" CapabilityMissing { kind: TokenKind, capability: String } => "the {kind} does not grant {capability}";
    /// A trial that has ended.
    #[remedy = "Subscribe."] #[wire = LicenseExpired]
    313 "TRIAL_ENDED" TrialEnded { ended_at: UnixTime, now: UnixTime } => "the trial ended at {ended_at}, the time is {now}";
    /// A trial without an end, which grants nothing beyond the free plan.
    #[remedy = "Have the lease issued again, with `trial_ends_at`."]
    314 "TRIAL_WITHOUT_END" TrialWithoutEnd => "the trial has no trial_ends_at, so it grants nothing beyond the free plan";
    /// A tenant id or base URL from which no host can be derived.
    #[remedy = "Correct the value that the message names."]
    315 "TENANT_HOST_INVALID" TenantHostInvalid { reason: &'static str } => "tenant host: {reason}";
    /// An answer to a lease refresh that lacks what it should hold.
    #[remedy = "Try again later; if the error persists, tell the operator of the control plane."]
    316 "REFRESH_RESPONSE" RefreshResponse { reason: String } => "lease refresh: {reason}";
    /// A text that is not a time, or a time that this system cannot represent.
    #[remedy = "Write the time in UTC, as 2026-03-25T12:00:00Z or in Unix seconds."]
    317 "TIME_INVALID" TimeInvalid { expected: &'static str, received: String } => "time: expected {expected}, received {}", [quoted(.received)];

    /// A license or grant came without the instance secret.
    #[remedy = "Send the instance secret as `instance_hint`."]
    400 "INSTANCE_HINT_MISSING" InstanceHintMissing => "a license or grant needs the instance secret as instance_hint";
    /// The credential was revoked.
    #[remedy = "Ask the operator of the license server."]
    401 "REVOKED" Revoked { what: RevokedKind } => "the {what} of this credential was revoked";
    /// A relay server URL that is not valid.
    #[remedy = "Correct `PULSE_RELAY_SERVER` or `server_url` in the relay config."]
    402 "SERVER_URL_INVALID" ServerUrlInvalid { reason: &'static str } => "relay server URL: {reason}";
    /// An identity that is incomplete or whose parts do not match.
    #[remedy = "Restore `relay.enc`, or let the bootstrap make a new identity and pair again."]
    403 "IDENTITY_INVALID" IdentityInvalid { reason: &'static str } => "relay identity: {reason}";
    /// A session token that this relay did not issue, or that does not fit the registration.
    #[remedy = "Register again without the session token."] #[wire = AuthFailed]
    404 "SESSION_INVALID" SessionInvalid { reason: &'static str } => "session token: {reason}";
    /// An instance id that is not `relay_` and 16 or 32 hex digits.
    #[remedy = "Pair again."]
    405 "INSTANCE_ID_INVALID" InstanceIdInvalid => "instance id: expected relay_ and 16 or 32 lower-case hex digits";

    /// The proof of an identity was not made by that identity for this relay and this token.
    #[remedy = "Register with the identity's own private key, at the relay that the server URL names."] #[wire = AuthFailed]
    406 "IDENTITY_PROOF_INVALID" IdentityProofInvalid { reason: &'static str } => "identity proof: {reason}";
    /// The proof of an identity was made too long ago, or one of the two clocks is wrong.
    #[remedy = "Set the clocks of the runtime and the relay."] #[wire = AuthFailed]
    407 "IDENTITY_PROOF_TIME" IdentityProofTime { limit: Duration, at: UnixTime, now: UnixTime } => "identity proof: made at {at}, the relay's clock says {now}, at most {} s apart are allowed", [.limit.as_secs()];
    /// A relay config whose JSON is not an object with members of the right types.
    #[remedy = "Pass the object that a load gave, with its members changed."]
    408 "RELAY_CONFIG_MALFORMED" RelayConfigMalformed { line: usize, column: usize } => "relay config: expected a JSON object with members of the right types, refused at line {line} column {column}";

    /// Bytes too short for a frame.
    #[remedy = "Check the address: the other side speaks another protocol."]
    500 "FRAME_TOO_SHORT" FrameTooShort { received: usize } => "frame of {received} bytes, at least 6 are needed";
    /// A frame of another version.
    #[remedy = "Update the older side."]
    501 "FRAME_VERSION" FrameVersion { received: u8 } => "frame version: expected 1, received {received}";
    /// A frame of an unknown type.
    #[remedy = "Update the older side."]
    502 "FRAME_TYPE" FrameType { received: u8 } => "unknown frame type {received:#04x}";
    /// A frame payload over the limit.
    #[remedy = "Send less at a time."]
    503 "FRAME_TOO_LARGE" FrameTooLarge { limit: usize, received: usize } => "frame payload of {received} bytes, at most {limit} are allowed";
    /// A control payload that is not the JSON object it should be.
    #[remedy = "Update the older side."]
    504 "CONTROL_PAYLOAD" ControlPayload { frame: &'static str, reason: String } => "{frame} payload: {reason}";
    /// A proxied body over the limit.
    #[remedy = "Stream the body, or send less."]
    506 "BODY_TOO_LARGE" BodyTooLarge { limit: usize, received: usize } => "body of {received} bytes, at most {limit} are allowed";
    /// A key exchange message of the wrong form.
    #[remedy = "Close the channel: the other side is faulty."]
    520 "KEY_EXCHANGE_MALFORMED" KeyExchangeMalformed { reason: &'static str } => "key exchange: {reason}";
    /// The identity's signature on the key exchange does not verify: this is not the paired instance.
    #[remedy = "Stop, compare the fingerprint, and pair again."]
    521 "KEY_EXCHANGE_SIGNATURE" KeyExchangeSignature { expected: String } => "key exchange: not signed by the paired identity {expected}";
    /// The shared secret is all zero: the other side sent a point of small order.
    #[remedy = "Stop: the other side is faulty or hostile."]
    522 "KEY_EXCHANGE_WEAK" KeyExchangeWeak => "key exchange: the shared secret is all zero";
    /// A sealed message of the wrong form.
    #[remedy = "Close the channel."]
    523 "MESSAGE_MALFORMED" MessageMalformed { reason: &'static str } => "sealed message: {reason}";
    /// A message that was already seen, or is older than one that was.
    #[remedy = "Close the channel."]
    524 "MESSAGE_REPLAYED" MessageReplayed { expected: u64, received: u64 } => "sealed message: counter {received} was used, expected at least {expected}";
    /// A message whose tag does not verify.
    #[remedy = "Close the channel."]
    525 "MESSAGE_FORGED" MessageForged => "sealed message: authentication failed";
    /// All message counters of a channel are used up.
    #[remedy = "Open a new channel."]
    526 "CHANNEL_EXHAUSTED" ChannelExhausted => "channel: all message counters are used up";

    /// A session was asked for something that it can only do in another state.
    #[remedy = "Wait for the event that says the session is open, and ask again."]
    540 "SESSION_NOT_OPEN" SessionNotOpen { needed: &'static str, state: &'static str } => "the session is {state}, expected: {needed}";
    /// A channel that is not open, or not in the state that the call needs.
    #[remedy = "Act on a channel only between the event that offers it and the one that ends it."]
    541 "SESSION_CHANNEL" SessionChannel { channel: u32, expected: &'static str } => "channel {channel} is not {expected}";
    /// A response to a request that is not waiting for one.
    #[remedy = "Answer each request once, and not after its channel has ended."]
    542 "REQUEST_UNKNOWN" RequestUnknown { channel: u32 } => "no such request is waiting for an answer on channel {channel}";
    /// More is waiting to be sent than the session keeps.
    #[remedy = "Send what the session has to send, then try again."]
    543 "SEND_QUEUE_FULL" SendQueueFull { limit: usize, queued: usize } => "{queued} bytes are waiting to be sent, at most {limit} are kept";
    /// More requests are waiting for their answers than the session keeps.
    #[remedy = "Wait for an answer, then ask again."]
    544 "REQUEST_LIMIT" RequestLimit { limit: usize } => "{limit} requests are waiting for their answers, which is the limit";
    /// A frame that the protocol does not allow at this moment.
    #[remedy = "Update the other side; it does not follow the protocol."]
    545 "FRAME_UNEXPECTED" FrameUnexpected { expected: &'static str, received: &'static str } => "expected {expected}, received {received}";

    /// A scanned code over the limit.
    #[remedy = "Scan the code that the instance shows: this one is not a pairing code."]
    600 "PAIRING_TOO_LARGE" PairingTooLarge { limit: usize, received: usize } => "pairing code of {received} bytes, at most {limit} are allowed";
    /// A scanned code that is not a pairing code.
    #[remedy = "Scan the whole code again."]
    601 "PAIRING_MALFORMED" PairingMalformed { reason: &'static str } => "pairing code: {reason}";
    /// A key appears twice in a scanned code.
    #[remedy = "Have the instance show a new code."]
    602 "PAIRING_DUPLICATE" PairingDuplicate { key: &'static str } => "pairing code: {key} appears twice";
    /// A required key is missing in a scanned code.
    #[remedy = "Have the instance show a new code."]
    603 "PAIRING_MISSING" PairingMissing { key: &'static str } => "pairing code: {key} is required and missing or empty";
    /// A scanned code of another schema.
    #[remedy = "Update the app."]
    604 "PAIRING_SCHEMA" PairingSchema { expected: &'static str, received: String } => "pairing code: expected schema {expected}, received {}", [quoted(.received)];
    /// `ws://` to a public address.
    #[remedy = "Use `wss://`."]
    605 "PAIRING_INSECURE_URL" PairingInsecureUrl { host: String } => "pairing code: ws:// is only allowed to a local address, and {} is not one: use wss://", [quoted(.host)];
    /// No pairing code can be offered yet.
    #[remedy = "Resolve the diagnostics that the error names."]
    606 "PAIRING_NOT_READY" PairingNotReady { codes: String } => "no pairing code can be offered: {codes}";
    /// A pairing code without an identity, which the channel needs.
    #[remedy = "Update the instance and have it show a new code."]
    607 "PAIRING_NO_IDENTITY" PairingNoIdentity => "pairing code: identity_public_key is missing, so the instance cannot be authenticated";
    /// More text than a QR code can hold.
    #[remedy = "Draw the compact code instead."]
    608 "QR_TOO_LARGE" QrTooLarge { received: usize } => "{received} bytes do not fit in a QR code";

    /// A file operation failed.
    #[remedy = "Check space, permissions and mount, as the message says."]
    700 "FILE" File { operation: &'static str, path: String, kind: io::ErrorKind, detail: String } => "cannot {operation} {path}: {detail}";
    /// A file that is a symbolic link, a directory or a device.
    #[remedy = "Replace it with a regular file."]
    701 "FILE_NOT_REGULAR" FileNotRegular { path: String } => "{path} is not a regular file";
    /// A file over the limit.
    #[remedy = "Restore the file: Pulse writes no file that large."]
    702 "FILE_TOO_LARGE" FileTooLarge { path: String, limit: u64, received: u64 } => "{path} is {received} bytes long, at most {limit} are allowed";
    /// A sealed file or text that cannot be opened, because it was sealed under another key or is damaged.
    #[remedy = "Restore the key file that it was sealed under."]
    703 "UNSEAL_FAILED" UnsealFailed { what: String } => "{what} cannot be opened: it was sealed under another key, or it is damaged";
    /// A file whose content is not what it should be.
    #[remedy = "Restore the file."]
    704 "FILE_MALFORMED" FileMalformed { path: String, reason: String } => "{path}: {reason}";
    /// A key file that is missing while something sealed under it is there.
    #[remedy = "Restore `.encryption.key` from a backup; no new key is made."]
    705 "KEY_FILE_LOST" KeyFileLost { path: String, sealed: String } => "{path} is missing, but {sealed} was sealed under it: restore the key file from a backup; no new key is made";
    /// A key file that cannot be read as a key.
    #[remedy = "Restore the key file from a backup; it is not overwritten."]
    706 "KEY_FILE_UNREADABLE" KeyFileUnreadable { path: String, reason: String } => "{path} exists but holds no key ({reason}): restore it from a backup; it is not overwritten";
    /// The integrity code of `billing.json` does not match its values.
    #[remedy = "Have the control plane write the file again."]
    707 "BILLING_TAMPERED" BillingTampered { path: String } => "{path}: the integrity code does not match the values, so the file was modified outside Pulse: restore it from a backup, or have it issued again";
    /// An organization id that cannot be part of a path.
    #[remedy = "Correct the organization id."]
    708 "ORG_ID_INVALID" OrgIdInvalid { reason: &'static str } => "organization id: {reason}";
    /// A file is missing where it is needed.
    #[remedy = "Restore the file, or provision the tenant."]
    709 "FILE_MISSING" FileMissing { path: String } => "{path} is missing";
    /// Another process or thread holds the lock of a data directory for longer than the caller waits.
    #[remedy = "Use `fuser FILE` or `lslocks` to see which process holds it, end or repair that process, then try again."]
    710 "LOCK_TIMEOUT" LockTimeout { path: String, waited_ms: u64 } => "{path} is still locked by another process or thread after {waited_ms} ms: use `fuser {path}` or lslocks to see which process holds it, and try again";
    /// A file is in place, but its directory could not be synced, so a power failure may bring back the old state.
    #[remedy = "Save again; if the error comes back, check the disk."]
    711 "FILE_NOT_DURABLE" FileNotDurable { path: String, detail: String } => "{path} is written and in place, but its directory could not be synced ({detail}): a power failure now may bring back the old state, so save again";
    /// A file was changed since the caller loaded it, so the save would have undone that change.
    #[remedy = "Load it again, repeat the change and save."]
    712 "REVISION_MISMATCH" RevisionMismatch { path: String, expected: String, received: String } => "{path} was changed in the meantime: the save is for revision {expected}, the file has revision {received}: load it again, repeat the change and save";
    /// A text that is not a revision.
    #[remedy = "Pass the revision that a load or a save gave, unchanged."]
    713 "REVISION_INVALID" RevisionInvalid { received: String } => "revision: expected absent, or the 32 hex digits that a load or a save gave, received {}", [quoted(.received)];
    /// A save that would replace or drop an identity without having been told to.
    #[remedy = "Load the config, change it and save it with its identity; or say that the identity is to be replaced."]
    714 "IDENTITY_KEPT" IdentityKept { path: String, fingerprint: String } => "{path} holds the identity {fingerprint}, which this save would replace or drop, and every phone would have to be paired again: keep the identity, or say that it is to be replaced";
    /// A `billing.json` with sealed fields but without an integrity code.
    #[remedy = "Restore the file from a backup, or have the state issued again."]
    715 "BILLING_UNSIGNED" BillingUnsigned { path: String } => "{path} holds sealed fields but no integrity code, so it was modified outside Pulse: restore it from a backup, or have it issued again";

    /// The runtime is not in hosted mode.
    #[remedy = "Set `PULSE_HOSTED_MODE=true`."]
    800 "NOT_HOSTED" NotHosted => "not a hosted runtime: set PULSE_HOSTED_MODE";
    /// The billing state holds no lease.
    #[remedy = "Have the control plane write the lease."]
    801 "NO_LEASE" NoLease => "the billing state holds no lease";
    /// The activation is suspended, which blocks every credential.
    #[remedy = "Ask the operator of the license server."]
    802 "ACTIVATION_SUSPENDED" ActivationSuspended => "paid access of the activation is suspended, which blocks every credential";
    /// No candidate can be offered to the relay.
    #[remedy = "Read in the message why each candidate was refused."]
    803 "NO_CREDENTIAL" NoCredential { reason: String } => "no registration credential: {reason}";
    /// The operator disabled the relay.
    #[remedy = "Enable it where the message says, if that is what you want."]
    804 "RELAY_DISABLED" RelayDisabled { by: DisabledBy } => "the relay is disabled by {by}";
    /// An activation that exists but cannot be used; it may hold a suspension, so it blocks every credential.
    #[remedy = "Restore `activation.enc` and `.license-key` from a backup, or remove `activation.enc` and activate again."]
    805 "ACTIVATION_UNREADABLE" ActivationUnreadable { path: String, reason: String } => "{path} exists but cannot be used ({reason}). It may hold a suspension, so nothing is registered: restore it and its .license-key from a backup, or remove it and activate again";
    /// An environment variable whose value is invalid.
    #[remedy = "Correct the variable that the message names."]
    806 "SETTING_INVALID" SettingInvalid { setting: &'static str, reason: &'static str } => "{setting}: {reason}";
    /// An environment variable that holds an invalid key.
    #[remedy = "Correct the key in the variable that the message names."]
    807 "SETTING_KEY_INVALID" SettingKeyInvalid { setting: &'static str, source: Box<Error> } => "{setting}: {source}";
}
