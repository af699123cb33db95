package io.pulserelay.trust

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonObject
import java.util.Base64

/** The most bytes that a proxied body may have. */
public const val MAX_BODY_SIZE: Int = 48_128

/** A request for the instance's own HTTP API, sealed into DATA. */
public class ProxyRequest(
    /** Names the request: the answer has the same. */
    public val id: String,
    public val method: String,
    /** With its query, as `/api/status?verbose=1`. */
    public val path: String,
    public val headers: Map<String, String> = emptyMap(),
    public val body: ByteArray = ByteArray(0),
) {
    /** The plaintext for [Channel.seal]. */
    public fun toJson(): ByteArray {
        if (body.size > MAX_BODY_SIZE) {
            throw PulseException(PulseCode.BODY_TOO_LARGE, "a body of ${body.size} bytes, at most $MAX_BODY_SIZE")
        }
        val texts = headers.flatMap { (name, value) -> listOf(name, value) } + listOf(id, method, path)
        val json = JsonBytes(JsonBytes.roomFor(texts.sumOf { it.length + 1 }, body.size))
        json.raw("{\"id\":").string(id).raw(",\"method\":").string(method).raw(",\"path\":").string(path)
        if (headers.isNotEmpty()) {
            json.raw(",\"headers\":")
            headers.toSortedMap().entries.forEachIndexed { index, (name, value) ->
                json.raw(if (index == 0) "{" else ",").string(name).raw(":").string(value)
            }
            json.raw("}")
        }
        if (body.isNotEmpty()) json.raw(",\"body\":").string(Base64.getEncoder().encode(body))
        return json.raw("}").take()
    }

    /** Without headers and body, which may hold secrets. */
    override fun toString(): String = "ProxyRequest($id, $method $path, ${body.size} bytes)"
}

/** An answer of the instance's HTTP API, opened from DATA. */
public class ProxyResponse(
    /** Of the request. */
    public val id: String,
    public val status: Int,
    public val headers: Map<String, String>,
    public val body: ByteArray,
    /** One of several messages of one answer. */
    public val stream: Boolean,
    /** The last of them. */
    public val streamDone: Boolean,
) {
    override fun toString(): String = "ProxyResponse($id, status $status, ${body.size} bytes)"

    public companion object {
        /** Reads the plaintext that [Channel.open] gives. */
        public fun parse(plaintext: ByteArray): ProxyResponse = read(plaintext) { members ->
            val body = Base64.getDecoder().decode(text(members, "body"))
            if (body.size > MAX_BODY_SIZE) {
                throw PulseException(PulseCode.BODY_TOO_LARGE, "a body of ${body.size} bytes, at most $MAX_BODY_SIZE")
            }
            val headers = members["headers"]?.jsonObject ?: JsonObject(emptyMap())
            ProxyResponse(
                text(members, "id"),
                (members["status"] as? JsonPrimitive)?.intOrNull ?: throw malformed("status is no number"),
                headers.keys.associateWith { name -> text(headers, name) },
                body,
                flag(members, "stream"),
                flag(members, "stream_done"),
            )
        }

        private fun flag(members: JsonObject, name: String): Boolean =
            (members[name] as? JsonPrimitive)?.booleanOrNull ?: false
    }
}
