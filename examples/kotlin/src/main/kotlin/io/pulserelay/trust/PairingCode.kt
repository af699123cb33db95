package io.pulserelay.trust

import com.sun.jna.Pointer
import io.pulserelay.trust.ffi.Handle
import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.callForBytes
import io.pulserelay.trust.ffi.callForHandle
import io.pulserelay.trust.ffi.lend
import io.pulserelay.trust.ffi.utf8

/**
 * A scanned pairing code that passed every check. It names an instance and the identity that the instance must prove;
 * nobody has signed the code itself. The auth token stays in the library's memory and is wiped there by [close].
 */
public class PairingCode private constructor(private val handle: Handle) : AutoCloseable {
    /** The id under which the relay knows the instance. */
    public val instanceId: String

    /** Where the app connects: `wss://`, or `ws://` to a local host. */
    public val relayUrl: String

    /** The key that the instance must prove, in base64; null in codes of runtimes without an identity. */
    public val identityPublicKey: String?

    /** The fingerprint of that key, for people to compare; computed from the key. */
    public val identityFingerprint: String?

    /** Where a browser reaches the instance: `https`. */
    public val instanceUrl: String?

    /** What the code calls the instance. Anybody's text: show it as a suggestion, decide nothing by it. */
    public val name: String?

    init {
        var members: SecretMembers? = null
        try {
            members = readMembers()
            instanceId = members.text("instance_id").orEmpty()
            relayUrl = members.text("relay_url").orEmpty()
            identityPublicKey = members.text("identity_public_key")
            identityFingerprint = members.text("identity_fingerprint")
            instanceUrl = members.text("instance_url")
            name = members.text("name")
        } catch (failure: Throwable) {
            handle.close()
            throw failure
        } finally {
            members?.close()
        }
    }

    /**
     * The key that the instance must prove, for an app that opens a channel. Without it whoever runs the relay could
     * pass for the instance, so a code without one is refused as [PulseCode.PAIRING_NO_IDENTITY].
     */
    public fun requireIdentity(): String =
        identityPublicKey ?: throw PulseException(PulseCode.PAIRING_NO_IDENTITY, "the pairing code carries no identity")

    /** Lends the auth token, a **secret**, as UTF-8. The array is wiped when [job] returns. */
    public fun <T> withAuthToken(job: (ByteArray) -> T): T =
        readMembers().use { members -> job(checkNotNull(members.bytes("auth_token"))) }

    /** Wipes the code. */
    override fun close(): Unit = handle.close()

    override fun toString(): String =
        "PairingCode(instanceId=$instanceId, relayUrl=$relayUrl, identityFingerprint=$identityFingerprint)"

    private fun readMembers(): SecretMembers {
        val json = handle.use { code ->
            callForBytes { out, error -> PulseLibrary.pulse_pairing_code_secret_json(code, out, error) }
        }
        try {
            return SecretMembers.read(json)
        } finally {
            json.fill(0)
        }
    }

    public companion object {
        /**
         * Reads and checks a scanned text: a deep link, the compact code, or the JSON form. Each check has its code:
         * [PulseCode.PAIRING_TOO_LARGE], [PulseCode.PAIRING_MALFORMED], [PulseCode.PAIRING_DUPLICATE],
         * [PulseCode.PAIRING_MISSING], [PulseCode.PAIRING_SCHEMA], [PulseCode.PAIRING_INSECURE_URL],
         * [PulseCode.KEY_ENCODING], [PulseCode.KEY_WEAK], [PulseCode.KEY_FINGERPRINT_MISMATCH].
         */
        public fun parse(scanned: String): PairingCode {
            val bytes = utf8(scanned)
            try {
                return parse(bytes)
            } finally {
                bytes.fill(0)
            }
        }

        /** As the other, for a scanner that gives bytes: unlike a text, an array can be wiped by its owner. */
        public fun parse(scanned: ByteArray): PairingCode {
            val pointer: Pointer = lend(scanned) { text, length ->
                callForHandle { out, error -> PulseLibrary.pulse_pairing_code_parse(text, length, out, error) }
            }
            return PairingCode(Handle(pointer, PulseLibrary::pulse_pairing_code_free))
        }
    }
}
