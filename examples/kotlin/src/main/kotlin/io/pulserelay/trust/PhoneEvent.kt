package io.pulserelay.trust

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.util.Base64

/** What a session tells its program. A moment is on the clock of [PhoneSession.millis]. */
public sealed class PhoneEvent {
    /** The instance has proved its identity, and nobody else reads what is sent: requests may be made. */
    public data object Ready : PhoneEvent()

    /** An answer, or a piece of one: with [isLast] the request is over. */
    public class Response(
        public val request: Long,
        public val status: Int,
        public val headers: Map<String, String>,
        public val body: ByteArray,
        public val isLast: Boolean,
    ) : PhoneEvent() {
        /** Without headers and body, which may hold secrets. */
        override fun toString(): String = "Response(request $request, status $status, ${body.size} bytes)"
    }

    /** A request is over without a whole answer: `timed_out`, `disconnected` or `canceled`. */
    public data class RequestFailed(val request: Long, val reason: String) : PhoneEvent()

    /** The relay, or the instance by way of it, has refused the connection. */
    public data class Refused(
        /** The relay's code, as `AUTH_FAILED`: not one of [PulseCode]. */
        val code: String,
        /** In its words, cut to a length that fits a screen. */
        val message: String,
        /** What this means for the user: `wait`, `check_instance`, `pair_again` or `check_subscription`. */
        val advice: String,
        /** The next try; null where none is made until [PhoneSession.start]. */
        val retryAt: Long?,
    ) : PhoneEvent()

    /** Whoever answered is not the paired instance. Nothing was sent to it, and the session has stopped: warn the user. */
    public data class IdentityRefused(val code: PulseCode, val message: String) : PhoneEvent()

    /** The relay is going down; answers that are under way may still arrive. */
    public data class Draining(val reason: String) : PhoneEvent()

    /** The channel is over. Every request that waited has failed before. */
    public data class Disconnected(
        val reason: String,
        /** In the other side's words, where it gave some. */
        val message: String,
        /** The next try; null where none is made until [PhoneSession.start]. */
        val retryAt: Long?,
    ) : PhoneEvent()

    /** What a newer library tells. */
    public data class Unknown(val event: String) : PhoneEvent()

    internal companion object {
        /** Reads the JSON of the C function `pulse_session_poll`. */
        fun read(json: String): PhoneEvent {
            val members = Json.parseToJsonElement(json).jsonObject
            return when (val event = members.text("event")) {
                "ready" -> Ready
                "response" -> response(members)
                "request_failed" -> RequestFailed(members.number("request"), members.text("reason"))
                "refused" -> members.getValue("error").jsonObject.let { error ->
                    Refused(error.text("code"), error.text("message"), members.text("advice"), members.retryAt())
                }
                "identity_refused" -> members.getValue("error").jsonObject.let { error ->
                    IdentityRefused(PulseCode(error.getValue("code").jsonPrimitive.int), error.text("message"))
                }
                "draining" -> Draining(members.text("reason"))
                "disconnected" -> Disconnected(members.text("reason"), members.text("message"), members.retryAt())
                else -> Unknown(event)
            }
        }

        private fun response(members: JsonObject): Response {
            val response = members.getValue("response").jsonObject
            val headers = response["headers"]?.jsonObject.orEmpty()
            return Response(
                members.number("request"),
                response.getValue("status").jsonPrimitive.int,
                headers.mapValues { (_, value) -> value.jsonPrimitive.content },
                Base64.getDecoder().decode(response["body"]?.jsonPrimitive?.content.orEmpty()),
                members.getValue("is_last").jsonPrimitive.boolean,
            )
        }

        private fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content

        private fun JsonObject.number(name: String): Long = getValue(name).jsonPrimitive.long

        private fun JsonObject.retryAt(): Long? = get("retry_at")?.jsonPrimitive?.long
    }
}
