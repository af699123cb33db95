package io.pulserelay.trust

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** Which notifications a phone wants. */
public data class NotificationPreferences(
    val critical: Boolean,
    val warning: Boolean,
    val approval: Boolean,
    val fixResult: Boolean,
)

/** What a phone says first. */
public class Connect(
    private val code: PairingCode,
    private val deviceToken: String = "",
    private val platform: String = "",
    private val preferences: NotificationPreferences? = null,
) {
    /** The payload of the CONNECT frame. It holds the auth token, a **secret**: wipe it when it is sent. */
    public fun secretPayload(): ByteArray = code.withAuthToken { token ->
        val json = JsonBytes(JsonBytes.roomFor(token.size, code.instanceId.length, deviceToken.length, platform.length))
        json.raw("{\"instance_id\":").string(code.instanceId).raw(",\"auth_token\":").string(token)
        if (deviceToken.isNotEmpty()) json.raw(",\"device_token\":").string(deviceToken)
        if (platform.isNotEmpty()) json.raw(",\"platform\":").string(platform)
        if (preferences != null) {
            json.raw(
                ",\"notification_preferences\":{\"critical_enabled\":${preferences.critical}," +
                    "\"warning_enabled\":${preferences.warning},\"approval_enabled\":${preferences.approval}," +
                    "\"fix_result_enabled\":${preferences.fixResult}}",
            )
        }
        json.raw("}").take()
    }

    override fun toString(): String = "Connect(instanceId=${code.instanceId}, platform=$platform)"
}

/** The relay's answer to CONNECT: the instance accepted, and this is the channel. */
public data class ConnectAck(val channelId: UInt, val instanceId: String) {
    public companion object {
        public fun parse(payload: ByteArray): ConnectAck = read(payload) { members ->
            ConnectAck(channel(members), required(members, "instance_id"))
        }
    }
}

/** A channel is over. */
public data class ChannelClose(val channelId: UInt, val reason: String) {
    public companion object {
        public fun parse(payload: ByteArray): ChannelClose = read(payload) { members ->
            ChannelClose(channel(members), text(members, "reason"))
        }
    }
}

/** What the relay refuses: its own codes, as `AUTH_FAILED`, not those of [PulseCode]. */
public data class RelayError(val code: String, val message: String) {
    public companion object {
        public fun parse(payload: ByteArray): RelayError = read(payload) { members ->
            RelayError(required(members, "code"), text(members, "message"))
        }
    }
}

/** The relay stops soon; a phone connects again, to [reconnectUrl] where there is one. */
public data class Drain(val reason: String, val reconnectUrl: String) {
    public companion object {
        public fun parse(payload: ByteArray): Drain = read(payload) { members ->
            Drain(text(members, "reason"), text(members, "reconn_url"))
        }
    }
}

/** Reads a JSON object. A parser's own error quotes the text, so it does not go out. */
internal fun <T> read(payload: ByteArray, make: (JsonObject) -> T): T {
    val made = try {
        Result.success(make(Json.parseToJsonElement(payload.decodeToString(throwOnInvalidSequence = true)).jsonObject))
    } catch (_: IllegalArgumentException) {
        null
    } catch (_: CharacterCodingException) {
        null
    }
    return (made ?: throw malformed("it is not a JSON object with the expected members")).getOrThrow()
}

internal fun text(members: JsonObject, name: String): String = members[name]?.string().orEmpty()

internal fun required(members: JsonObject, name: String): String =
    text(members, name).ifEmpty { throw malformed("$name is missing") }

internal fun malformed(reason: String): PulseException = PulseException(PulseCode.CONTROL_PAYLOAD, "a payload: $reason")

private fun channel(members: JsonObject): UInt =
    (members["channel_id"] as? JsonPrimitive)?.takeUnless { it.isString }?.content?.toUIntOrNull()
        ?: throw malformed("channel_id is no channel")

private fun kotlinx.serialization.json.JsonElement.string(): String? {
    val primitive = jsonPrimitive
    if (!primitive.isString && primitive.contentOrNull != null) throw malformed("a member is no text")
    return primitive.contentOrNull
}
