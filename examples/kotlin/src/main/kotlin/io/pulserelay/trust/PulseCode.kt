// Written by generate-codes.sh from include/pulse_trust.h; do not edit.

package io.pulserelay.trust

/** The stable number of an error, the same in every language. A newer library may give numbers that have no name here. */
@JvmInline
public value class PulseCode(public val number: Int) {
    /** The stable name, as `SIGNATURE_INVALID`. */
    public val name: String get() = names[number] ?: "UNKNOWN"

    override fun toString(): String = "$number $name"

    public companion object {
        /** A bug in pulse-trust was caught. */
        public val PANIC: PulseCode = PulseCode(1)
        /** A pointer that must not be NULL was NULL. */
        public val NULL_ARGUMENT: PulseCode = PulseCode(2)
        /** An argument is not UTF-8, not the JSON it should be, or none of the constants. */
        public val INVALID_ARGUMENT: PulseCode = PulseCode(3)
        /** A key is not base64 of the right length (FORMATS 1). */
        public val KEY_ENCODING: PulseCode = PulseCode(100)
        /** A 64-byte private key whose second half is not the public key of the first (FORMATS 1). */
        public val KEY_MISMATCHED_HALVES: PulseCode = PulseCode(101)
        /** A public key that is no canonical point of the prime-order group (FORMATS 1). */
        public val KEY_WEAK: PulseCode = PulseCode(102)
        /** No key is configured for this kind of token; setting is where one is configured. */
        public val KEY_NOT_CONFIGURED: PulseCode = PulseCode(103)
        /** A token names a key that is not configured. */
        public val KEY_UNKNOWN: PulseCode = PulseCode(104)
        /** The operating system gave no random bytes. */
        public val RANDOM_UNAVAILABLE: PulseCode = PulseCode(105)
        /** A precomputed table failed its self-check. */
        public val KEY_TABLE_CORRUPT: PulseCode = PulseCode(106)
        /** Two public keys that should be the same are not. */
        public val KEY_FINGERPRINT_MISMATCH: PulseCode = PulseCode(107)
        /** A token or one of its segments is over the limit (FORMATS 2). */
        public val TOKEN_TOO_LARGE: PulseCode = PulseCode(200)
        /** A token is not three non-empty segments of strict base64url. */
        public val TOKEN_MALFORMED: PulseCode = PulseCode(201)
        /** A token header is not what FORMATS 2 allows. */
        public val TOKEN_HEADER: PulseCode = PulseCode(202)
        /** The signature does not verify under any key configured for this kind. */
        public val SIGNATURE_INVALID: PulseCode = PulseCode(203)
        /** A payload is no JSON object that FORMATS 2 allows. */
        public val PAYLOAD_MALFORMED: PulseCode = PulseCode(204)
        /** A claim has a wrong type. */
        public val CLAIM_TYPE: PulseCode = PulseCode(205)
        /** A required claim is missing or empty. */
        public val CLAIM_MISSING: PulseCode = PulseCode(206)
        /** A token is of another kind than asked for. */
        public val TOKEN_KIND: PulseCode = PulseCode(207)
        /** A token carries the claims of none of the three kinds. */
        public val TOKEN_KIND_UNKNOWN: PulseCode = PulseCode(208)
        /** Claims that cannot be signed as they are. */
        public val CLAIMS_UNSIGNABLE: PulseCode = PulseCode(209)
        /** A lease of another issuer. */
        public val ISSUER_MISMATCH: PulseCode = PulseCode(300)
        /** A lease for another audience. */
        public val AUDIENCE_MISMATCH: PulseCode = PulseCode(301)
        /** A token past its expiry (and past its grace, where it has one). */
        public val EXPIRED: PulseCode = PulseCode(302)
        /** A token before its nbf. */
        public val NOT_YET_VALID: PulseCode = PulseCode(303)
        /** A lease without an organization. */
        public val ORG_MISSING: PulseCode = PulseCode(304)
        /** A lease for another organization. */
        public val ORG_MISMATCH: PulseCode = PulseCode(305)
        /** A lease without an instance host. */
        public val HOST_MISSING: PulseCode = PulseCode(306)
        /** A host that has no normal form (FORMATS 3.2). */
        public val HOST_INVALID: PulseCode = PulseCode(307)
        /** A lease for another host. */
        public val HOST_MISMATCH: PulseCode = PulseCode(308)
        /** The license in a provider-chained lease does not entitle to sign leases (FORMATS 3.4). */
        public val PROVIDER_CHAIN: PulseCode = PulseCode(309)
        /** A clock leeway over the limit. */
        public val LEEWAY_TOO_LARGE: PulseCode = PulseCode(310)
        /** A license, grant or subscription in a state that grants nothing. */
        public val SUBSCRIPTION_INACTIVE: PulseCode = PulseCode(311)
        /** A token that does not carry the capability asked for. */
        public val CAPABILITY_MISSING: PulseCode = PulseCode(312)
        /** A trial that has ended. */
        public val TRIAL_ENDED: PulseCode = PulseCode(313)
        /** A trial without an end grants nothing beyond free. */
        public val TRIAL_WITHOUT_END: PulseCode = PulseCode(314)
        /** A tenant id or base URL from which no host can be derived (FORMATS 3.2). */
        public val TENANT_HOST_INVALID: PulseCode = PulseCode(315)
        /** An answer to a lease refresh that does not hold what it should. */
        public val REFRESH_RESPONSE: PulseCode = PulseCode(316)
        /** A license or grant came without the instance secret (FORMATS 6). */
        public val INSTANCE_HINT_MISSING: PulseCode = PulseCode(400)
        /** The credential was revoked. */
        public val REVOKED: PulseCode = PulseCode(401)
        /** A relay server URL that is not valid (FORMATS 7). */
        public val SERVER_URL_INVALID: PulseCode = PulseCode(402)
        /** An identity that is incomplete or does not fit together. */
        public val IDENTITY_INVALID: PulseCode = PulseCode(403)
        /** A session token that is not one of this relay's or does not fit. */
        public val SESSION_INVALID: PulseCode = PulseCode(404)
        /** An instance id that is not of the form relay_ and hex digits. */
        public val INSTANCE_ID_INVALID: PulseCode = PulseCode(405)
        /** Bytes too short for a frame. */
        public val FRAME_TOO_SHORT: PulseCode = PulseCode(500)
        /** A frame of another version. */
        public val FRAME_VERSION: PulseCode = PulseCode(501)
        /** A frame of a type we do not know. */
        public val FRAME_TYPE: PulseCode = PulseCode(502)
        /** A frame payload over the limit. */
        public val FRAME_TOO_LARGE: PulseCode = PulseCode(503)
        /** A control payload that is not the JSON it should be. */
        public val CONTROL_PAYLOAD: PulseCode = PulseCode(504)
        /** A frame on a channel where it does not belong. */
        public val FRAME_CHANNEL: PulseCode = PulseCode(505)
        /** A proxied body over the limit. */
        public val BODY_TOO_LARGE: PulseCode = PulseCode(506)
        /** A key exchange message of the wrong form. */
        public val KEY_EXCHANGE_MALFORMED: PulseCode = PulseCode(520)
        /** The identity's signature on the key exchange does not verify: this is not the paired instance. */
        public val KEY_EXCHANGE_SIGNATURE: PulseCode = PulseCode(521)
        /** The shared secret is all zero: the other side sent a point of small order. */
        public val KEY_EXCHANGE_WEAK: PulseCode = PulseCode(522)
        /** A sealed message of the wrong form. */
        public val MESSAGE_MALFORMED: PulseCode = PulseCode(523)
        /** A message that was already seen, or is older than one seen. */
        public val MESSAGE_REPLAYED: PulseCode = PulseCode(524)
        /** A message whose tag does not verify. */
        public val MESSAGE_FORGED: PulseCode = PulseCode(525)
        /** All counters of a channel are used up. */
        public val CHANNEL_EXHAUSTED: PulseCode = PulseCode(526)
        /** A scanned code over the limit. */
        public val PAIRING_TOO_LARGE: PulseCode = PulseCode(600)
        /** A scanned code that is no pairing code. */
        public val PAIRING_MALFORMED: PulseCode = PulseCode(601)
        /** A key stands twice in a scanned code. */
        public val PAIRING_DUPLICATE: PulseCode = PulseCode(602)
        /** A required key is missing in a scanned code. */
        public val PAIRING_MISSING: PulseCode = PulseCode(603)
        /** A scanned code of another schema. */
        public val PAIRING_SCHEMA: PulseCode = PulseCode(604)
        /** ws:// to a public address. */
        public val PAIRING_INSECURE_URL: PulseCode = PulseCode(605)
        /** No pairing code can be offered yet. */
        public val PAIRING_NOT_READY: PulseCode = PulseCode(606)
        /** A pairing code without an identity, which the channel needs. */
        public val PAIRING_NO_IDENTITY: PulseCode = PulseCode(607)
        /** A QR code cannot hold this much. */
        public val QR_TOO_LARGE: PulseCode = PulseCode(608)
        /** A file operation failed. */
        public val FILE: PulseCode = PulseCode(700)
        /** A file that is a symbolic link, a directory or a device. */
        public val FILE_NOT_REGULAR: PulseCode = PulseCode(701)
        /** A file over the limit. */
        public val FILE_TOO_LARGE: PulseCode = PulseCode(702)
        /** A sealed file or text that does not open: another key, or damage. */
        public val UNSEAL_FAILED: PulseCode = PulseCode(703)
        /** A file that holds something else than it should. */
        public val FILE_MALFORMED: PulseCode = PulseCode(704)
        /** A key file that is missing while something sealed under it is there. */
        public val KEY_FILE_LOST: PulseCode = PulseCode(705)
        /** A key file that cannot be read as a key. */
        public val KEY_FILE_UNREADABLE: PulseCode = PulseCode(706)
        /** The integrity code of billing.json does not fit its values. */
        public val BILLING_TAMPERED: PulseCode = PulseCode(707)
        /** An organization id that cannot be part of a path. */
        public val ORG_ID_INVALID: PulseCode = PulseCode(708)
        /** A file is missing where it is needed. */
        public val FILE_MISSING: PulseCode = PulseCode(709)
        /** The runtime is not in hosted mode. */
        public val NOT_HOSTED: PulseCode = PulseCode(800)
        /** No lease is in the billing state. */
        public val NO_LEASE: PulseCode = PulseCode(801)
        /** The activation is suspended, which blocks every credential. */
        public val ACTIVATION_SUSPENDED: PulseCode = PulseCode(802)
        /** No candidate can be offered to the relay. */
        public val NO_CREDENTIAL: PulseCode = PulseCode(803)
        /** The relay is disabled by the operator. */
        public val RELAY_DISABLED: PulseCode = PulseCode(804)

        private val names: Map<Int, String> = mapOf(
            1 to "PANIC",
            2 to "NULL_ARGUMENT",
            3 to "INVALID_ARGUMENT",
            100 to "KEY_ENCODING",
            101 to "KEY_MISMATCHED_HALVES",
            102 to "KEY_WEAK",
            103 to "KEY_NOT_CONFIGURED",
            104 to "KEY_UNKNOWN",
            105 to "RANDOM_UNAVAILABLE",
            106 to "KEY_TABLE_CORRUPT",
            107 to "KEY_FINGERPRINT_MISMATCH",
            200 to "TOKEN_TOO_LARGE",
            201 to "TOKEN_MALFORMED",
            202 to "TOKEN_HEADER",
            203 to "SIGNATURE_INVALID",
            204 to "PAYLOAD_MALFORMED",
            205 to "CLAIM_TYPE",
            206 to "CLAIM_MISSING",
            207 to "TOKEN_KIND",
            208 to "TOKEN_KIND_UNKNOWN",
            209 to "CLAIMS_UNSIGNABLE",
            300 to "ISSUER_MISMATCH",
            301 to "AUDIENCE_MISMATCH",
            302 to "EXPIRED",
            303 to "NOT_YET_VALID",
            304 to "ORG_MISSING",
            305 to "ORG_MISMATCH",
            306 to "HOST_MISSING",
            307 to "HOST_INVALID",
            308 to "HOST_MISMATCH",
            309 to "PROVIDER_CHAIN",
            310 to "LEEWAY_TOO_LARGE",
            311 to "SUBSCRIPTION_INACTIVE",
            312 to "CAPABILITY_MISSING",
            313 to "TRIAL_ENDED",
            314 to "TRIAL_WITHOUT_END",
            315 to "TENANT_HOST_INVALID",
            316 to "REFRESH_RESPONSE",
            400 to "INSTANCE_HINT_MISSING",
            401 to "REVOKED",
            402 to "SERVER_URL_INVALID",
            403 to "IDENTITY_INVALID",
            404 to "SESSION_INVALID",
            405 to "INSTANCE_ID_INVALID",
            500 to "FRAME_TOO_SHORT",
            501 to "FRAME_VERSION",
            502 to "FRAME_TYPE",
            503 to "FRAME_TOO_LARGE",
            504 to "CONTROL_PAYLOAD",
            505 to "FRAME_CHANNEL",
            506 to "BODY_TOO_LARGE",
            520 to "KEY_EXCHANGE_MALFORMED",
            521 to "KEY_EXCHANGE_SIGNATURE",
            522 to "KEY_EXCHANGE_WEAK",
            523 to "MESSAGE_MALFORMED",
            524 to "MESSAGE_REPLAYED",
            525 to "MESSAGE_FORGED",
            526 to "CHANNEL_EXHAUSTED",
            600 to "PAIRING_TOO_LARGE",
            601 to "PAIRING_MALFORMED",
            602 to "PAIRING_DUPLICATE",
            603 to "PAIRING_MISSING",
            604 to "PAIRING_SCHEMA",
            605 to "PAIRING_INSECURE_URL",
            606 to "PAIRING_NOT_READY",
            607 to "PAIRING_NO_IDENTITY",
            608 to "QR_TOO_LARGE",
            700 to "FILE",
            701 to "FILE_NOT_REGULAR",
            702 to "FILE_TOO_LARGE",
            703 to "UNSEAL_FAILED",
            704 to "FILE_MALFORMED",
            705 to "KEY_FILE_LOST",
            706 to "KEY_FILE_UNREADABLE",
            707 to "BILLING_TAMPERED",
            708 to "ORG_ID_INVALID",
            709 to "FILE_MISSING",
            800 to "NOT_HOSTED",
            801 to "NO_LEASE",
            802 to "ACTIVATION_SUSPENDED",
            803 to "NO_CREDENTIAL",
            804 to "RELAY_DISABLED",
        )

        /** Every number that has a name. */
        public val entries: List<PulseCode> get() = names.keys.map(::PulseCode)
    }
}
