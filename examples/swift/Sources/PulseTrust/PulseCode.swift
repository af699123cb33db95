// NOT RUN HERE: there was no Swift toolchain.
// Written by generate-codes.sh from include/pulse_trust.h; do not edit.

/// The stable number of an error, the same in every language. A newer library may give numbers that have no name here.
public struct PulseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The stable name, as `SIGNATURE_INVALID`.
    public var name: String { Self.names[rawValue] ?? "UNKNOWN" }

    public var description: String { "\(rawValue) \(name)" }

    /// A bug in pulse-trust was caught.
    public static let panic = PulseCode(rawValue: 1)
    /// A pointer that must not be NULL was NULL.
    public static let nullArgument = PulseCode(rawValue: 2)
    /// An argument is not UTF-8, not the JSON it should be, or none of the constants.
    public static let invalidArgument = PulseCode(rawValue: 3)
    /// A key is not base64 of the right length (FORMATS 1).
    public static let keyEncoding = PulseCode(rawValue: 100)
    /// A 64-byte private key whose second half is not the public key of the first (FORMATS 1).
    public static let keyMismatchedHalves = PulseCode(rawValue: 101)
    /// A public key that is no canonical point of the prime-order group (FORMATS 1).
    public static let keyWeak = PulseCode(rawValue: 102)
    /// No key is configured for this kind of token; setting is where one is configured.
    public static let keyNotConfigured = PulseCode(rawValue: 103)
    /// A token names a key that is not configured.
    public static let keyUnknown = PulseCode(rawValue: 104)
    /// The operating system gave no random bytes.
    public static let randomUnavailable = PulseCode(rawValue: 105)
    /// A precomputed table failed its self-check.
    public static let keyTableCorrupt = PulseCode(rawValue: 106)
    /// Two public keys that should be the same are not.
    public static let keyFingerprintMismatch = PulseCode(rawValue: 107)
    /// A token or one of its segments is over the limit (FORMATS 2).
    public static let tokenTooLarge = PulseCode(rawValue: 200)
    /// A token is not three non-empty segments of strict base64url.
    public static let tokenMalformed = PulseCode(rawValue: 201)
    /// A token header is not what FORMATS 2 allows.
    public static let tokenHeader = PulseCode(rawValue: 202)
    /// The signature does not verify under any key configured for this kind.
    public static let signatureInvalid = PulseCode(rawValue: 203)
    /// A payload is no JSON object that FORMATS 2 allows.
    public static let payloadMalformed = PulseCode(rawValue: 204)
    /// A claim has a wrong type.
    public static let claimType = PulseCode(rawValue: 205)
    /// A required claim is missing or empty.
    public static let claimMissing = PulseCode(rawValue: 206)
    /// A token is of another kind than asked for.
    public static let tokenKind = PulseCode(rawValue: 207)
    /// A token carries the claims of none of the three kinds.
    public static let tokenKindUnknown = PulseCode(rawValue: 208)
    /// Claims that cannot be signed as they are.
    public static let claimsUnsignable = PulseCode(rawValue: 209)
    /// A lease of another issuer.
    public static let issuerMismatch = PulseCode(rawValue: 300)
    /// A lease for another audience.
    public static let audienceMismatch = PulseCode(rawValue: 301)
    /// A token past its expiry (and past its grace, where it has one).
    public static let expired = PulseCode(rawValue: 302)
    /// A token before its nbf.
    public static let notYetValid = PulseCode(rawValue: 303)
    /// A lease without an organization.
    public static let orgMissing = PulseCode(rawValue: 304)
    /// A lease for another organization.
    public static let orgMismatch = PulseCode(rawValue: 305)
    /// A lease without an instance host.
    public static let hostMissing = PulseCode(rawValue: 306)
    /// A host that has no normal form (FORMATS 3.2).
    public static let hostInvalid = PulseCode(rawValue: 307)
    /// A lease for another host.
    public static let hostMismatch = PulseCode(rawValue: 308)
    /// The license in a provider-chained lease does not entitle to sign leases (FORMATS 3.4).
    public static let providerChain = PulseCode(rawValue: 309)
    /// A clock leeway over the limit.
    public static let leewayTooLarge = PulseCode(rawValue: 310)
    /// A license, grant or subscription in a state that grants nothing.
    public static let subscriptionInactive = PulseCode(rawValue: 311)
    /// A token that does not carry the capability asked for.
    public static let capabilityMissing = PulseCode(rawValue: 312)
    /// A trial that has ended.
    public static let trialEnded = PulseCode(rawValue: 313)
    /// A trial without an end grants nothing beyond free.
    public static let trialWithoutEnd = PulseCode(rawValue: 314)
    /// A tenant id or base URL from which no host can be derived (FORMATS 3.2).
    public static let tenantHostInvalid = PulseCode(rawValue: 315)
    /// An answer to a lease refresh that does not hold what it should.
    public static let refreshResponse = PulseCode(rawValue: 316)
    /// A license or grant came without the instance secret (FORMATS 6).
    public static let instanceHintMissing = PulseCode(rawValue: 400)
    /// The credential was revoked.
    public static let revoked = PulseCode(rawValue: 401)
    /// A relay server URL that is not valid (FORMATS 7).
    public static let serverUrlInvalid = PulseCode(rawValue: 402)
    /// An identity that is incomplete or does not fit together.
    public static let identityInvalid = PulseCode(rawValue: 403)
    /// A session token that is not one of this relay's or does not fit.
    public static let sessionInvalid = PulseCode(rawValue: 404)
    /// An instance id that is not of the form relay_ and hex digits.
    public static let instanceIdInvalid = PulseCode(rawValue: 405)
    /// Bytes too short for a frame.
    public static let frameTooShort = PulseCode(rawValue: 500)
    /// A frame of another version.
    public static let frameVersion = PulseCode(rawValue: 501)
    /// A frame of a type we do not know.
    public static let frameType = PulseCode(rawValue: 502)
    /// A frame payload over the limit.
    public static let frameTooLarge = PulseCode(rawValue: 503)
    /// A control payload that is not the JSON it should be.
    public static let controlPayload = PulseCode(rawValue: 504)
    /// A frame on a channel where it does not belong.
    public static let frameChannel = PulseCode(rawValue: 505)
    /// A proxied body over the limit.
    public static let bodyTooLarge = PulseCode(rawValue: 506)
    /// A key exchange message of the wrong form.
    public static let keyExchangeMalformed = PulseCode(rawValue: 520)
    /// The identity's signature on the key exchange does not verify: this is not the paired instance.
    public static let keyExchangeSignature = PulseCode(rawValue: 521)
    /// The shared secret is all zero: the other side sent a point of small order.
    public static let keyExchangeWeak = PulseCode(rawValue: 522)
    /// A sealed message of the wrong form.
    public static let messageMalformed = PulseCode(rawValue: 523)
    /// A message that was already seen, or is older than one seen.
    public static let messageReplayed = PulseCode(rawValue: 524)
    /// A message whose tag does not verify.
    public static let messageForged = PulseCode(rawValue: 525)
    /// All counters of a channel are used up.
    public static let channelExhausted = PulseCode(rawValue: 526)
    /// A scanned code over the limit.
    public static let pairingTooLarge = PulseCode(rawValue: 600)
    /// A scanned code that is no pairing code.
    public static let pairingMalformed = PulseCode(rawValue: 601)
    /// A key stands twice in a scanned code.
    public static let pairingDuplicate = PulseCode(rawValue: 602)
    /// A required key is missing in a scanned code.
    public static let pairingMissing = PulseCode(rawValue: 603)
    /// A scanned code of another schema.
    public static let pairingSchema = PulseCode(rawValue: 604)
    /// ws:// to a public address.
    public static let pairingInsecureUrl = PulseCode(rawValue: 605)
    /// No pairing code can be offered yet.
    public static let pairingNotReady = PulseCode(rawValue: 606)
    /// A pairing code without an identity, which the channel needs.
    public static let pairingNoIdentity = PulseCode(rawValue: 607)
    /// A QR code cannot hold this much.
    public static let qrTooLarge = PulseCode(rawValue: 608)
    /// A file operation failed.
    public static let file = PulseCode(rawValue: 700)
    /// A file that is a symbolic link, a directory or a device.
    public static let fileNotRegular = PulseCode(rawValue: 701)
    /// A file over the limit.
    public static let fileTooLarge = PulseCode(rawValue: 702)
    /// A sealed file or text that does not open: another key, or damage.
    public static let unsealFailed = PulseCode(rawValue: 703)
    /// A file that holds something else than it should.
    public static let fileMalformed = PulseCode(rawValue: 704)
    /// A key file that is missing while something sealed under it is there.
    public static let keyFileLost = PulseCode(rawValue: 705)
    /// A key file that cannot be read as a key.
    public static let keyFileUnreadable = PulseCode(rawValue: 706)
    /// The integrity code of billing.json does not fit its values.
    public static let billingTampered = PulseCode(rawValue: 707)
    /// An organization id that cannot be part of a path.
    public static let orgIdInvalid = PulseCode(rawValue: 708)
    /// A file is missing where it is needed.
    public static let fileMissing = PulseCode(rawValue: 709)
    /// The runtime is not in hosted mode.
    public static let notHosted = PulseCode(rawValue: 800)
    /// No lease is in the billing state.
    public static let noLease = PulseCode(rawValue: 801)
    /// The activation is suspended, which blocks every credential.
    public static let activationSuspended = PulseCode(rawValue: 802)
    /// No candidate can be offered to the relay.
    public static let noCredential = PulseCode(rawValue: 803)
    /// The relay is disabled by the operator.
    public static let relayDisabled = PulseCode(rawValue: 804)

    private static let names: [Int32: String] = [
        1: "PANIC",
        2: "NULL_ARGUMENT",
        3: "INVALID_ARGUMENT",
        100: "KEY_ENCODING",
        101: "KEY_MISMATCHED_HALVES",
        102: "KEY_WEAK",
        103: "KEY_NOT_CONFIGURED",
        104: "KEY_UNKNOWN",
        105: "RANDOM_UNAVAILABLE",
        106: "KEY_TABLE_CORRUPT",
        107: "KEY_FINGERPRINT_MISMATCH",
        200: "TOKEN_TOO_LARGE",
        201: "TOKEN_MALFORMED",
        202: "TOKEN_HEADER",
        203: "SIGNATURE_INVALID",
        204: "PAYLOAD_MALFORMED",
        205: "CLAIM_TYPE",
        206: "CLAIM_MISSING",
        207: "TOKEN_KIND",
        208: "TOKEN_KIND_UNKNOWN",
        209: "CLAIMS_UNSIGNABLE",
        300: "ISSUER_MISMATCH",
        301: "AUDIENCE_MISMATCH",
        302: "EXPIRED",
        303: "NOT_YET_VALID",
        304: "ORG_MISSING",
        305: "ORG_MISMATCH",
        306: "HOST_MISSING",
        307: "HOST_INVALID",
        308: "HOST_MISMATCH",
        309: "PROVIDER_CHAIN",
        310: "LEEWAY_TOO_LARGE",
        311: "SUBSCRIPTION_INACTIVE",
        312: "CAPABILITY_MISSING",
        313: "TRIAL_ENDED",
        314: "TRIAL_WITHOUT_END",
        315: "TENANT_HOST_INVALID",
        316: "REFRESH_RESPONSE",
        400: "INSTANCE_HINT_MISSING",
        401: "REVOKED",
        402: "SERVER_URL_INVALID",
        403: "IDENTITY_INVALID",
        404: "SESSION_INVALID",
        405: "INSTANCE_ID_INVALID",
        500: "FRAME_TOO_SHORT",
        501: "FRAME_VERSION",
        502: "FRAME_TYPE",
        503: "FRAME_TOO_LARGE",
        504: "CONTROL_PAYLOAD",
        505: "FRAME_CHANNEL",
        506: "BODY_TOO_LARGE",
        520: "KEY_EXCHANGE_MALFORMED",
        521: "KEY_EXCHANGE_SIGNATURE",
        522: "KEY_EXCHANGE_WEAK",
        523: "MESSAGE_MALFORMED",
        524: "MESSAGE_REPLAYED",
        525: "MESSAGE_FORGED",
        526: "CHANNEL_EXHAUSTED",
        600: "PAIRING_TOO_LARGE",
        601: "PAIRING_MALFORMED",
        602: "PAIRING_DUPLICATE",
        603: "PAIRING_MISSING",
        604: "PAIRING_SCHEMA",
        605: "PAIRING_INSECURE_URL",
        606: "PAIRING_NOT_READY",
        607: "PAIRING_NO_IDENTITY",
        608: "QR_TOO_LARGE",
        700: "FILE",
        701: "FILE_NOT_REGULAR",
        702: "FILE_TOO_LARGE",
        703: "UNSEAL_FAILED",
        704: "FILE_MALFORMED",
        705: "KEY_FILE_LOST",
        706: "KEY_FILE_UNREADABLE",
        707: "BILLING_TAMPERED",
        708: "ORG_ID_INVALID",
        709: "FILE_MISSING",
        800: "NOT_HOSTED",
        801: "NO_LEASE",
        802: "ACTIVATION_SUSPENDED",
        803: "NO_CREDENTIAL",
        804: "RELAY_DISABLED",
    ]
}
