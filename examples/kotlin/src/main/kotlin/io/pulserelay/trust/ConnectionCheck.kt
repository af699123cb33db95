package io.pulserelay.trust

import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.callForText
import io.pulserelay.trust.ffi.lend

/** Compares what a phone presents with what the runtime knows. */
public class ConnectionCheck(
    public val relayEnabled: Boolean,
    /** The relay server the runtime is configured with. */
    public val serverUrl: String,
    /** Null: the runtime is not registered. */
    public val ownInstanceId: String?,
    /** What the phone presents, as the rest. */
    public val instanceId: String,
    public val relayUrl: String,
    private val authToken: ByteArray,
    /** Whether the runtime knows the token. */
    public val tokenKnown: Boolean,
) {
    /** Every diagnostic, none where all is right. */
    public fun run(): List<Diagnostic> {
        val texts = listOf(serverUrl, ownInstanceId.orEmpty(), instanceId, relayUrl)
        val json = JsonBytes(JsonBytes.roomFor(texts.sumOf { it.length }, authToken.size))
        json.raw("{\"relay_enabled\":$relayEnabled,\"server_url\":").string(serverUrl).raw(",\"own_instance_id\":")
        if (ownInstanceId == null) json.raw("null") else json.string(ownInstanceId)
        json.raw(",\"instance_id\":").string(instanceId).raw(",\"relay_url\":").string(relayUrl)
        json.raw(",\"auth_token\":").string(authToken).raw(",\"token_known\":$tokenKnown}")
        val presented = json.take()
        try {
            return Diagnostic.listOf(
                lend(presented) { text, length ->
                    callForText { out, error -> PulseLibrary.pulse_connection_check(text, length, out, error) }
                },
            )
        } finally {
            presented.fill(0)
        }
    }

    override fun toString(): String = "ConnectionCheck(instanceId=$instanceId, relayUrl=$relayUrl)"
}
