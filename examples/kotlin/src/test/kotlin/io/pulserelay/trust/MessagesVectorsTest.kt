package io.pulserelay.trust

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The phone's own messages, byte for byte as the deployed programs write them, and the answers to them. */
class MessagesVectorsTest {
    private val vectors = vectors("frames.json")

    private fun payload(name: String): String =
        vectors.getValue("frames").jsonArray.map { it.jsonObject }.single { it.text("name") == name }.text("payload_text")

    private fun code(token: String) = PairingCode.parse(
        "pulse://connect?auth_token=$token&instance_id=relay_2e1b0929e6fd7c52&relay_url=wss%3A%2F%2Frelay.example.test",
    )

    @Test
    fun `CONNECT is written as deployed`() = code("tok_1").use { code ->
        assertEquals(payload("connect-minimal"), Connect(code).secretPayload().decodeToString())
        val deployed = Json.parseToJsonElement(payload("connect")).jsonObject
        val wanted = deployed.getValue("notification_preferences").jsonObject
        fun wants(name: String) = wanted.text("${name}_enabled").toBooleanStrict()
        val preferences = NotificationPreferences(wants("critical"), wants("warning"), wants("approval"), wants("fix_result"))
        val connect = Connect(code, deployed.text("device_token"), deployed.text("platform"), preferences)
        assertEquals(payload("connect"), connect.secretPayload().decodeToString())
    }

    @Test
    fun `a token goes into CONNECT whole, escaped as Go does`() {
        val token = "a<b>&\"\\/\u2028\u2029\u2030é😀"
        code(java.net.URLEncoder.encode(token, Charsets.UTF_8)).use { code ->
            code.withAuthToken { assertEquals(token, it.decodeToString()) }
            val payload = Connect(code).secretPayload().decodeToString()
            assertEquals(token, Json.parseToJsonElement(payload).jsonObject.text("auth_token"))
            assertTrue("""a\u003cb\u003e\u0026\"\\/\u2028\u2029‰é😀""" in payload, payload)
        }
    }

    @Test
    fun `every control character is escaped as Go does`() {
        val text = (0..0x1f).joinToString("") { it.toChar().toString() }
        val written = JsonBytes(JsonBytes.roomFor(text.length)).string(text).take().decodeToString()
        assertEquals(text, Json.decodeFromString<kotlinx.serialization.json.JsonPrimitive>(written).content)
        assertTrue("""\u0007\b\t\n\u000b\f\r\u000e""" in written, written)
    }

    @Test
    fun `answers are read as deployed`() {
        assertEquals(ConnectAck(UInt.MAX_VALUE, "relay_2e1b0929e6fd7c52"), ConnectAck.parse(payload("connect-ack").encodeToByteArray()))
        assertEquals(ChannelClose(7u, "invalid token"), ChannelClose.parse(payload("channel-close").encodeToByteArray()))
        assertEquals(ChannelClose(7u, ""), ChannelClose.parse(payload("channel-close-no-reason").encodeToByteArray()))
        assertEquals(RelayError("AUTH_FAILED", "m"), RelayError.parse(payload("error-auth_failed").encodeToByteArray()))
        assertEquals(
            Drain("maintenance", "wss://relay2.example.test/ws/instance"), Drain.parse(payload("drain").encodeToByteArray()),
        )
        assertEquals(Drain("", ""), Drain.parse(payload("drain-empty").encodeToByteArray()))
    }

    @Test
    fun `what is no such message is refused, and not quoted`() {
        val ack = listOf("", "{", "[]", "null", """{"channel_id":"7","instance_id":"r"}""", """{"channel_id":-1,"instance_id":"r"}""",
            """{"channel_id":4294967296,"instance_id":"r"}""", """{"channel_id":7}""", """{"channel_id":7,"instance_id":[]}""")
        for (payload in ack) assertRefused(PulseCode.CONTROL_PAYLOAD) { ConnectAck.parse(payload.encodeToByteArray()) }
        assertRefused(PulseCode.CONTROL_PAYLOAD) { ConnectAck.parse(byteArrayOf(-1)) }
        val refusal = assertRefused(PulseCode.CONTROL_PAYLOAD) { ProxyResponse.parse("""{"id":"hunter2"""".encodeToByteArray()) }
        assertFalse("hunter2" in refusal.stackTraceToString())
        assertRefused(PulseCode.CONTROL_PAYLOAD) { ProxyResponse.parse("""{"id":"1","status":200,"body":"*"}""".encodeToByteArray()) }
    }

    @Test
    fun `proxied requests and responses are as deployed`() {
        val deployed = Json.parseToJsonElement(vectors.text("proxy_request")).jsonObject
        val headers = deployed.getValue("headers").jsonObject
        // Given in another order: they are written sorted.
        val unsorted = headers.keys.reversed().associateWith { headers.text(it) }
        val body = java.util.Base64.getDecoder().decode(deployed.text("body"))
        val request = ProxyRequest(deployed.text("id"), deployed.text("method"), deployed.text("path"), unsorted, body)
        assertEquals(vectors.text("proxy_request"), request.toJson().decodeToString())

        val response = ProxyResponse.parse(vectors.text("proxy_response").encodeToByteArray())
        assertEquals("1" to 200, response.id to response.status)
        assertEquals(mapOf("Content-Type" to "text/event-stream"), response.headers)
        assertArrayEquals("data".encodeToByteArray(), response.body)
        assertTrue(response.stream)
        assertFalse(response.streamDone)
    }

    @Test
    fun `bodies have the deployed limit`() {
        assertEquals(vectors.text("proxy_max_body").toInt(), MAX_BODY_SIZE)
        val largest = ProxyRequest("1", "POST", "/", body = ByteArray(MAX_BODY_SIZE) { -1 })
        // It fits into a frame, sealed.
        assertTrue(largest.toJson().size + 28 <= 65_536)
        assertRefused(PulseCode.BODY_TOO_LARGE) { ProxyRequest("1", "POST", "/", body = ByteArray(MAX_BODY_SIZE + 1)).toJson() }
    }
}
