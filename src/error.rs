//! One error type for the whole crate: a stable number and name for programs, a precise message for people.
//!
//! Numbers are grouped by subject and never reused; C, Go, TypeScript and the JVM share them. A message carries both
//! sides of a failed comparison where there are two, and never a secret.

#[cfg(feature = "capi")]
use core::ffi::CStr;

/// Result of every fallible function of this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

macro_rules! error_table {
    ($($(#[$doc:meta])* $code:literal $name:literal $variant:ident $({ $($field:ident: $kind:ty),* $(,)? })? => $message:literal;)*) => {
        /// Why something was refused or could not be done.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $(
                $(#[$doc])*
                #[error($message)]
                #[allow(missing_docs)]
                $variant $({ $($field: $kind),* })?,
            )*
        }

        impl Error {
            /// Every error of the crate: number and name, in ascending order.
            pub const TABLE: &'static [(u16, &'static str)] = &[$(($code, $name)),*];

            /// The same with NUL-terminated names.
            #[cfg(feature = "capi")]
            pub(crate) const C_NAMES: &'static [(u16, &'static CStr)] = &[$(($code, c_name(concat!($name, "\0")))),*];

            /// The stable number that every language shares.
            pub const fn code(&self) -> u16 {
                match self { $(Self::$variant { .. } => $code,)* }
            }

            /// The stable name that goes with [`Error::code`].
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name,)* }
            }
        }
    };
}

error_table! {
    /// A key is not base64 of the right length (FORMATS 1).
    100 "KEY_ENCODING" KeyEncoding { what: &'static str, expected: &'static str, received: usize } => "{what}: expected {expected}, received {received} characters that do not decode to it";
    /// A 64-byte private key whose second half is not the public key of the first (FORMATS 1).
    101 "KEY_MISMATCHED_HALVES" KeyMismatchedHalves => "private key: the public half does not belong to the seed";
    /// A public key that is no canonical point of the prime-order group (FORMATS 1).
    102 "KEY_WEAK" KeyWeak { reason: &'static str } => "public key refused: {reason}";
    /// No key is configured for this kind of token; `setting` is where one is configured.
    103 "KEY_NOT_CONFIGURED" KeyNotConfigured { kind: &'static str, setting: &'static str } => "no trust key is configured for a {kind}: set {setting}";
    /// A token names a key that is not configured.
    104 "KEY_UNKNOWN" KeyUnknown { kid: String } => "the token names key {kid}, which is not among the configured keys";
    /// The operating system gave no random bytes.
    105 "RANDOM_UNAVAILABLE" RandomUnavailable { detail: String } => "no random bytes from the operating system: {detail}";
    /// A precomputed table failed its self-check.
    106 "KEY_TABLE_CORRUPT" KeyTableCorrupt => "the precomputed table of a public key failed its self-check";
    /// Two public keys that should be the same are not.
    107 "KEY_FINGERPRINT_MISMATCH" FingerprintMismatch { expected: String, received: String } => "identity fingerprint: expected {expected}, the public key has {received}";

    /// A token or one of its segments is over the limit (FORMATS 2).
    200 "TOKEN_TOO_LARGE" TokenTooLarge { what: &'static str, limit: usize, received: usize } => "{what} is {received} bytes long, at most {limit} are allowed";
    /// A token is not three non-empty segments of strict base64url.
    201 "TOKEN_MALFORMED" TokenMalformed { reason: &'static str } => "malformed token: {reason}";
    /// A token header is not what FORMATS 2 allows.
    202 "TOKEN_HEADER" TokenHeader { reason: &'static str } => "token header: {reason}";
    /// The signature does not verify under any key configured for this kind.
    203 "SIGNATURE_INVALID" SignatureInvalid { kind: &'static str } => "the signature does not verify under any key configured for a {kind}";
    /// A payload is no JSON object that FORMATS 2 allows.
    204 "PAYLOAD_MALFORMED" PayloadMalformed { reason: String } => "token payload: {reason}";
    /// A claim has a wrong type.
    205 "CLAIM_TYPE" ClaimType { claim: &'static str, expected: &'static str } => "claim {claim}: expected {expected}";
    /// A required claim is missing or empty.
    206 "CLAIM_MISSING" ClaimMissing { claim: &'static str } => "claim {claim} is required and missing or empty";
    /// A token is of another kind than asked for.
    207 "TOKEN_KIND" TokenKind { expected: &'static str, received: &'static str } => "expected a {expected}, received a {received}";
    /// A token carries the claims of none of the three kinds.
    208 "TOKEN_KIND_UNKNOWN" TokenKindUnknown => "the token is no lease (iss), no grant (iid) and no license (lid)";
    /// Claims that cannot be signed as they are.
    209 "CLAIMS_UNSIGNABLE" ClaimsUnsignable { reason: String } => "these claims cannot be signed: {reason}";

    /// A lease of another issuer.
    300 "ISSUER_MISMATCH" IssuerMismatch { expected: &'static str, received: String } => "issuer: expected {expected}, received {received:?}";
    /// A lease for another audience.
    301 "AUDIENCE_MISMATCH" AudienceMismatch { expected: &'static str, received: String } => "audience: expected {expected} alone, received {received}";
    /// A token past its expiry (and past its grace, where it has one).
    302 "EXPIRED" Expired { kind: &'static str, expired_at: i64, now: i64 } => "the {kind} expired at {expired_at}, now is {now}";
    /// A token before its `nbf`.
    303 "NOT_YET_VALID" NotYetValid { not_before: i64, now: i64 } => "the lease is valid from {not_before}, now is {now}";
    /// A lease without an organization.
    304 "ORG_MISSING" OrgMissing => "claim org_id is required and missing or empty";
    /// A lease for another organization.
    305 "ORG_MISMATCH" OrgMismatch { expected: String, received: String } => "organization: expected {expected:?}, received {received:?}";
    /// A lease without an instance host.
    306 "HOST_MISSING" HostMissing => "claim instance_host is required and missing or empty";
    /// A host that has no normal form (FORMATS 3.2).
    307 "HOST_INVALID" HostInvalid { reason: &'static str } => "host: {reason}";
    /// A lease for another host.
    308 "HOST_MISMATCH" HostMismatch { expected: String, received: String } => "host: expected {expected}, the lease is for {received}";
    /// The license in a provider-chained lease does not entitle to sign leases (FORMATS 3.4).
    309 "PROVIDER_CHAIN" ProviderChain { reason: String } => "provider license: {reason}";
    /// A clock leeway over the limit.
    310 "LEEWAY_TOO_LARGE" LeewayTooLarge { limit: u32, received: u32 } => "leeway of {received} s, at most {limit} s are allowed";
    /// A license, grant or subscription in a state that grants nothing.
    311 "SUBSCRIPTION_INACTIVE" SubscriptionInactive { kind: &'static str, state: String } => "the {kind} is in state {state:?}, which grants nothing beyond free";
    /// A token that does not carry the capability asked for.
    312 "CAPABILITY_MISSING" CapabilityMissing { kind: &'static str, capability: String } => "the {kind} does not grant {capability}";
    /// A trial that has ended.
    313 "TRIAL_ENDED" TrialEnded { ended_at: i64, now: i64 } => "the trial ended at {ended_at}, now is {now}";
    /// A trial without an end grants nothing beyond free.
    314 "TRIAL_WITHOUT_END" TrialWithoutEnd => "the trial has no trial_ends_at and grants nothing beyond free";
    /// A tenant id or base URL from which no host can be derived (FORMATS 3.2).
    315 "TENANT_HOST_INVALID" TenantHostInvalid { reason: &'static str } => "tenant host: {reason}";
    /// An answer to a lease refresh that does not hold what it should.
    316 "REFRESH_RESPONSE" RefreshResponse { reason: String } => "lease refresh: {reason}";

    /// A license or grant came without the instance secret (FORMATS 6).
    400 "INSTANCE_HINT_MISSING" InstanceHintMissing => "a license or grant needs the instance secret as instance_hint";
    /// The credential was revoked.
    401 "REVOKED" Revoked { what: &'static str } => "the {what} of this credential was revoked";
    /// A relay server URL that is not valid (FORMATS 7).
    402 "SERVER_URL_INVALID" ServerUrlInvalid { reason: &'static str } => "relay server URL: {reason}";
    /// An identity that is incomplete or does not fit together.
    403 "IDENTITY_INVALID" IdentityInvalid { reason: &'static str } => "relay identity: {reason}";
    /// A session token that is not one of this relay's or does not fit.
    404 "SESSION_INVALID" SessionInvalid { reason: &'static str } => "session token: {reason}";
    /// An instance id that is not of the form `relay_` and hex digits.
    405 "INSTANCE_ID_INVALID" InstanceIdInvalid => "instance id: expected relay_ and 16 or 32 lower-case hex digits";

    /// Bytes too short for a frame.
    500 "FRAME_TOO_SHORT" FrameTooShort { received: usize } => "frame of {received} bytes, at least 6 are needed";
    /// A frame of another version.
    501 "FRAME_VERSION" FrameVersion { received: u8 } => "frame version: expected 1, received {received}";
    /// A frame of a type we do not know.
    502 "FRAME_TYPE" FrameType { received: u8 } => "unknown frame type {received:#04x}";
    /// A frame payload over the limit.
    503 "FRAME_TOO_LARGE" FrameTooLarge { limit: usize, received: usize } => "frame payload of {received} bytes, at most {limit} are allowed";
    /// A control payload that is not the JSON it should be.
    504 "CONTROL_PAYLOAD" ControlPayload { frame: &'static str, reason: String } => "{frame} payload: {reason}";
    /// A frame on a channel where it does not belong.
    505 "FRAME_CHANNEL" FrameChannel { frame: &'static str, channel: u32 } => "{frame} does not belong on channel {channel}";
    /// A proxied body over the limit.
    506 "BODY_TOO_LARGE" BodyTooLarge { limit: usize, received: usize } => "body of {received} bytes, at most {limit} are allowed";
    /// A key exchange message of the wrong form.
    520 "KEY_EXCHANGE_MALFORMED" KeyExchangeMalformed { reason: &'static str } => "key exchange: {reason}";
    /// The identity's signature on the key exchange does not verify: this is not the paired instance.
    521 "KEY_EXCHANGE_SIGNATURE" KeyExchangeSignature { expected: String } => "key exchange: not signed by the paired identity {expected}";
    /// The shared secret is all zero: the other side sent a point of small order.
    522 "KEY_EXCHANGE_WEAK" KeyExchangeWeak => "key exchange: the shared secret is all zero";
    /// A sealed message of the wrong form.
    523 "MESSAGE_MALFORMED" MessageMalformed { reason: &'static str } => "sealed message: {reason}";
    /// A message that was already seen, or is older than one seen.
    524 "MESSAGE_REPLAYED" MessageReplayed { expected: u64, received: u64 } => "sealed message: counter {received} was used, expected at least {expected}";
    /// A message whose tag does not verify.
    525 "MESSAGE_FORGED" MessageForged => "sealed message: authentication failed";
    /// All counters of a channel are used up.
    526 "CHANNEL_EXHAUSTED" ChannelExhausted => "channel: all message counters are used up";

    /// A scanned code over the limit.
    600 "PAIRING_TOO_LARGE" PairingTooLarge { limit: usize, received: usize } => "pairing code of {received} bytes, at most {limit} are allowed";
    /// A scanned code that is no pairing code.
    601 "PAIRING_MALFORMED" PairingMalformed { reason: &'static str } => "pairing code: {reason}";
    /// A key stands twice in a scanned code.
    602 "PAIRING_DUPLICATE" PairingDuplicate { key: &'static str } => "pairing code: {key} stands twice";
    /// A required key is missing in a scanned code.
    603 "PAIRING_MISSING" PairingMissing { key: &'static str } => "pairing code: {key} is required and missing or empty";
    /// A scanned code of another schema.
    604 "PAIRING_SCHEMA" PairingSchema { expected: &'static str, received: String } => "pairing code: expected schema {expected}, received {received:?}";
    /// `ws://` to a public address.
    605 "PAIRING_INSECURE_URL" PairingInsecureUrl { host: String } => "pairing code: ws:// is only allowed to a local address, {host} is none: use wss://";
    /// No pairing code can be offered yet.
    606 "PAIRING_NOT_READY" PairingNotReady { codes: String } => "no pairing code can be offered: {codes}";
    /// A pairing code without an identity, which the channel needs.
    607 "PAIRING_NO_IDENTITY" PairingNoIdentity => "pairing code: identity_public_key is missing, so the instance cannot be authenticated";
    /// A QR code cannot hold this much.
    608 "QR_TOO_LARGE" QrTooLarge { received: usize } => "{received} bytes do not fit in a QR code";

    /// A file operation failed.
    700 "FILE" File { operation: &'static str, path: String, detail: String } => "cannot {operation} {path}: {detail}";
    /// A file that is a symbolic link, a directory or a device.
    701 "FILE_NOT_REGULAR" FileNotRegular { path: String } => "{path} is not a regular file";
    /// A file over the limit.
    702 "FILE_TOO_LARGE" FileTooLarge { path: String, limit: u64, received: u64 } => "{path} is {received} bytes long, at most {limit} are allowed";
    /// A sealed file or text that does not open: another key, or damage.
    703 "UNSEAL_FAILED" UnsealFailed { what: String } => "{what} does not open: it was sealed under another key, or it is damaged";
    /// A file that holds something else than it should.
    704 "FILE_MALFORMED" FileMalformed { path: String, reason: String } => "{path}: {reason}";
    /// A key file that is missing while something sealed under it is there.
    705 "KEY_FILE_LOST" KeyFileLost { path: String, sealed: String } => "{path} is missing, but {sealed} was sealed under it: restore the key file from a backup; no new key is made";
    /// A key file that cannot be read as a key.
    706 "KEY_FILE_UNREADABLE" KeyFileUnreadable { path: String, reason: String } => "{path} is present but holds no key ({reason}): restore it from a backup; it is not overwritten";
    /// The integrity code of billing.json does not fit its values.
    707 "BILLING_TAMPERED" BillingTampered { path: String } => "{path}: the integrity code does not fit the values, so the file was changed by another hand";
    /// An organization id that cannot be part of a path.
    708 "ORG_ID_INVALID" OrgIdInvalid { reason: &'static str } => "organization id: {reason}";
    /// A file is missing where it is needed.
    709 "FILE_MISSING" FileMissing { path: String } => "{path} is missing";

    /// The runtime is not in hosted mode.
    800 "NOT_HOSTED" NotHosted => "not a hosted runtime: set PULSE_HOSTED_MODE";
    /// No lease is in the billing state.
    801 "NO_LEASE" NoLease => "the billing state holds no lease";
    /// The activation is suspended, which blocks every credential.
    802 "ACTIVATION_SUSPENDED" ActivationSuspended => "paid access of the activation is suspended, which blocks every credential";
    /// No candidate can be offered to the relay.
    803 "NO_CREDENTIAL" NoCredential { reason: String } => "no registration credential: {reason}";
    /// The relay is disabled by the operator.
    804 "RELAY_DISABLED" RelayDisabled { by: &'static str } => "the relay is disabled by {by}";
}

#[cfg(feature = "capi")]
const fn c_name(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => c"UNKNOWN",
    }
}

impl Error {
    /// Whether time alone is what is wrong: the token is past its expiry, before its start, or its trial has ended.
    pub const fn is_about_time(&self) -> bool {
        matches!(self, Self::Expired { .. } | Self::NotYetValid { .. } | Self::TrialEnded { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_names_are_unique() {
        assert!(Error::TABLE.is_sorted_by(|a, b| a.0 < b.0));
        let mut names: Vec<_> = Error::TABLE.iter().map(|entry| entry.1).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Error::TABLE.len());
    }

    #[test]
    fn an_error_stays_small_enough_to_return_by_value() {
        assert!(size_of::<Error>() <= 96);
    }
}
