package io.pulserelay.trust

import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.callForText
import io.pulserelay.trust.ffi.lend
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** A public key that was checked, and what it is known by. */
public data class PublicKey(
    /** In standard base64. */
    val base64: String,
    /** What people compare: 32 upper-case hex pairs joined by `:`. */
    val fingerprint: String,
    /** What a log shows: `SHA256:...`. */
    val logFingerprint: String,
) {
    public companion object {
        /** Reads base64; what is not a key is refused as [PulseCode.KEY_ENCODING] or [PulseCode.KEY_WEAK]. */
        public fun parse(base64: String): PublicKey {
            val json = lend(base64) { key, length ->
                callForText { out, error -> PulseLibrary.pulse_public_key_describe(key, length, out, error) }
            }
            val members = Json.parseToJsonElement(json).jsonObject
            fun text(name: String) = members.getValue(name).jsonPrimitive.content
            return PublicKey(text("public_key"), text("fingerprint"), text("log_fingerprint"))
        }
    }
}
