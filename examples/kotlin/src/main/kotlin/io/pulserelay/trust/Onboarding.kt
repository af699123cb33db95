package io.pulserelay.trust

import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.callForText
import io.pulserelay.trust.ffi.lend
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** What a runtime offers to a phone. All of it holds the auth token, a **secret**. */
public class PairingOffer internal constructor(
    /** The JSON form. */
    public val secretPayload: String,
    public val secretDeepLink: String,
    /** What a QR code shows: the deep link without what the phone can do without. */
    public val secretCompactCode: String,
    /** Warnings. */
    public val diagnostics: List<Diagnostic>,
) {
    override fun toString(): String = "PairingOffer(${diagnostics.map(Diagnostic::code)})"

    public companion object {
        /**
         * Builds the pairing code of a runtime, from the relay config in effect (JSON), the instance id of the last ACK,
         * the token that the phone is to present, and the instance's own URL (may be empty). Where there is none yet it
         * is refused as [PulseCode.PAIRING_NOT_READY], and the diagnostics of the exception say why.
         */
        public fun build(configJson: String, instanceId: String, authToken: String, instanceUrl: String): PairingOffer {
            val json = lend(configJson) { config, configLength ->
                lend(instanceId) { id, idLength ->
                    lend(authToken) { token, tokenLength ->
                        lend(instanceUrl) { url, urlLength ->
                            callForText { out, error ->
                                PulseLibrary.pulse_pairing_build(
                                    config, configLength, id, idLength, token, tokenLength, url, urlLength, out, error,
                                )
                            }
                        }
                    }
                }
            }
            val members = Json.parseToJsonElement(json).jsonObject
            return PairingOffer(
                members.getValue("payload").toString(),
                members.getValue("deep_link").jsonPrimitive.content,
                members.getValue("compact_code").jsonPrimitive.content,
                Diagnostic.listOf(members.getValue("diagnostics")),
            )
        }
    }
}

/** The URL an app connects to, from the one the instance is configured with. */
public fun relayUrlForApp(url: String): String = lend(url) { text, length ->
    callForText { out, error -> PulseLibrary.pulse_relay_url_for_app(text, length, out, error) }
}
