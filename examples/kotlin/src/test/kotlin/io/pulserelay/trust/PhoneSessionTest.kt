package io.pulserelay.trust

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** A phone's session against the deployed instance, over sockets that the test plays. */
class PhoneSessionTest {
    private val channel = vectors("channel.json")
    private val frames = vectors("frames.json")
    private val instance = DeployedInstance(
        channel.text("identity_private_key"), channel.bytes("instance_ephemeral_private_hex"), channel.bytes("instance_ephemeral_public_hex"),
    )
    private val key = java.net.URLEncoder.encode(channel.text("identity_public_key"), Charsets.UTF_8)
    private val code = "pulse://connect?auth_token=tok_1&identity_public_key=$key&instance_id=relay_2e1b0929e6fd7c52" +
        "&relay_url=wss%3A%2F%2Frelay.example.test%2Fws%2Fapp"
    private val relay = PlayedRelay()
    private val events = LinkedBlockingQueue<PhoneEvent>()
    private val sessions = mutableListOf<PhoneSession>()

    private fun session(settings: PhoneSettings = PhoneSettings(), handler: (PhoneEvent) -> Unit = { events.add(it) }): PhoneSession =
        PhoneSession.of(code.encodeToByteArray(), relay, settings, handler).also(sessions::add)

    @AfterEach
    fun close() = sessions.forEach(PhoneSession::close)

    private fun event(): PhoneEvent = checkNotNull(events.poll(20, TimeUnit.SECONDS)) { "no event" }

    private fun payload(name: String): String =
        frames.getValue("frames").jsonArray.map { it.jsonObject }.single { it.text("name") == name }.text("payload_text")

    private fun ack(): ByteArray = Frame(FrameType.CONNECT_ACK, 0u, payload("connect-ack").encodeToByteArray()).encode()

    /** Brings a session to the point where the instance's answer to the key exchange is due. */
    private fun exchangingKeys(session: PhoneSession): Pair<PlayedSocket, Frame> {
        session.start()
        val socket = relay.next()
        socket.listener.opened()
        assertEquals(FrameType.CONNECT, socket.sent().type)
        socket.listener.received(ack())
        val hello = socket.sent()
        assertEquals(FrameType.KEY_EXCHANGE to UInt.MAX_VALUE, hello.type to hello.channel)
        return socket to hello
    }

    /** The same with the instance's answer. */
    private fun secured(session: PhoneSession): Pair<PlayedSocket, DeployedChannel> {
        val (socket, hello) = exchangingKeys(session)
        socket.receive(FrameType.KEY_EXCHANGE, instance.answer())
        return socket to instance.channel(hello.payload)
    }

    @Test
    fun `CONNECT is written as deployed`() {
        val deployed = Json.parseToJsonElement(payload("connect")).jsonObject
        val wanted = deployed.getValue("notification_preferences").jsonObject
        fun wants(name: String) = wanted.text("${name}_enabled").toBooleanStrict()
        val preferences = NotificationPreferences(wants("critical"), wants("warning"), wants("approval"), wants("fix_result"))
        session(PhoneSettings(deployed.text("device_token"), deployed.text("platform"), preferences)).start()
        val socket = relay.next()
        assertEquals("wss://relay.example.test/ws/app", socket.url)
        socket.listener.opened()
        assertEquals(payload("connect"), socket.sent().payload.decodeToString())
    }

    @Test
    fun `a request is answered, in pieces`() {
        val session = session()
        assertRefused(PulseCode.SESSION_NOT_OPEN) { session.request("GET", "/") }
        val (socket, deployed) = secured(session)
        assertEquals(PhoneEvent.Ready, event())
        val body = byteArrayOf(0, 1, -1)
        val request = session.request("POST", "/api/x?y=1", mapOf("B" to "2", "A" to "1"), body)
        val sent = socket.sent()
        assertEquals(FrameType.DATA, sent.type)
        val plain = checkNotNull(deployed.open(sent.payload)).decodeToString()
        assertEquals("""{"id":"$request","method":"POST","path":"/api/x?y=1","headers":{"A":"1","B":"2"},"body":"AAH/"}""", plain)

        fun answer(rest: String) = socket.receive(FrameType.DATA, deployed.seal("""{"id":"$request","status":200$rest}""".encodeToByteArray()))
        answer(""","headers":{"Content-Type":"text/plain"},"body":"aGE=","stream":true""")
        answer(""","stream":true,"stream_done":true""")
        val first = assertInstanceOf(PhoneEvent.Response::class.java, event())
        assertEquals(listOf(request, 200L, mapOf("Content-Type" to "text/plain"), false),
            listOf(first.request, first.status.toLong(), first.headers, first.isLast))
        assertArrayEquals("ha".encodeToByteArray(), first.body)
        assertTrue(assertInstanceOf(PhoneEvent.Response::class.java, event()).isLast)
    }

    @Test
    fun `a request that is given up fails as such, and its answer is dropped`() {
        val session = session()
        val (socket, deployed) = secured(session)
        assertEquals(PhoneEvent.Ready, event())
        val (first, second) = List(2) { session.request("GET", "/$it") }
        session.cancel(first)
        assertEquals(PhoneEvent.RequestFailed(first, "canceled"), event())
        for (id in listOf(first, second)) socket.receive(FrameType.DATA, deployed.seal("""{"id":"$id","status":204}""".encodeToByteArray()))
        assertEquals(second, assertInstanceOf(PhoneEvent.Response::class.java, event()).request)
    }

    @Test
    fun `another identity gets nothing, and the session stops`() {
        val (socket, _) = exchangingKeys(session())
        socket.receive(FrameType.KEY_EXCHANGE, instance.answer().also { it[40] = (it[40].toInt() xor 1).toByte() })
        assertEquals(PulseCode.KEY_EXCHANGE_SIGNATURE, assertInstanceOf(PhoneEvent.IdentityRefused::class.java, event()).code)
        assertNotNull(socket.closed.poll(20, TimeUnit.SECONDS))
        assertFalse(socket.messages.map(Frame::decode).any { it.type == FrameType.DATA })
    }

    @Test
    fun `what the relay refuses comes with advice`() {
        session().start()
        val socket = relay.next()
        socket.listener.opened()
        assertEquals(FrameType.CONNECT, socket.sent().type)
        socket.receive(FrameType.ERROR, payload("error-auth_failed").encodeToByteArray(), 0u)
        assertEquals(PhoneEvent.Refused("AUTH_FAILED", "m", "pair_again", null), event())
    }

    @Test
    fun `a lost connection fails what waits, and another one is made`() {
        val session = session()
        val (socket, _) = secured(session)
        assertEquals(PhoneEvent.Ready, event())
        val request = session.request("GET", "/")
        socket.listener.ended()
        assertEquals(PhoneEvent.RequestFailed(request, "disconnected"), event())
        assertNotNull(assertInstanceOf(PhoneEvent.Disconnected::class.java, event()).retryAt)
        // The timer of the back-off has run.
        assertEquals(socket.url, relay.next().url)
    }

    @Test
    fun `a handler that fails does not end the session`() {
        val failures = LinkedBlockingQueue<Throwable>()
        val session = session {
            if (it == PhoneEvent.Ready) {
                Thread.currentThread().setUncaughtExceptionHandler { _, failure -> failures.add(failure) }
                error("a bug of the program")
            }
            events.add(it)
        }
        val (socket, deployed) = secured(session)
        assertEquals("a bug of the program", failures.poll(20, TimeUnit.SECONDS)?.message)
        val request = session.request("GET", "/")
        socket.receive(FrameType.DATA, deployed.seal("""{"id":"$request","status":204}""".encodeToByteArray()))
        assertEquals(request, assertInstanceOf(PhoneEvent.Response::class.java, event()).request)
    }

    @Test
    fun `closing tells the relay and nobody else`() {
        val session = session()
        val (socket, _) = secured(session)
        assertEquals(PhoneEvent.Ready, event())
        session.close()
        assertEquals(1000, socket.closed.poll(20, TimeUnit.SECONDS))
        socket.listener.ended()
        session.start()
        assertEquals(null, events.poll(200, TimeUnit.MILLISECONDS))
        assertRefused(PulseCode.INVALID_ARGUMENT) { session.request("GET", "/") }
    }

    @Test
    fun `a code that cannot be trusted makes no session`() {
        fun refused(code: PulseCode, scanned: String) =
            assertRefused(code) { PhoneSession.of(scanned.encodeToByteArray(), relay) {} }
        refused(PulseCode.PAIRING_NO_IDENTITY, code.replace("&identity_public_key=$key", ""))
        refused(PulseCode.PAIRING_INSECURE_URL, code.replace("wss%", "ws%"))
        assertFalse("tok_1" in session().toString())
    }
}

/** Sockets that nothing is behind: the test plays the relay. */
private class PlayedRelay : PhoneSockets {
    private val opened = LinkedBlockingQueue<PlayedSocket>()

    override fun open(url: String, listener: PhoneSocketListener): PhoneSocket = PlayedSocket(url, listener).also(opened::add)

    fun next(): PlayedSocket = checkNotNull(opened.poll(20, TimeUnit.SECONDS)) { "nothing connects" }
}

private class PlayedSocket(val url: String, val listener: PhoneSocketListener) : PhoneSocket {
    val messages = LinkedBlockingQueue<ByteArray>()
    val closed = LinkedBlockingQueue<Int>()

    override fun send(message: ByteArray) {
        messages.add(message)
    }

    override fun close(code: Int) {
        closed.add(code)
    }

    fun sent(): Frame = Frame.decode(checkNotNull(messages.poll(20, TimeUnit.SECONDS)) { "nothing is sent" })

    fun receive(type: FrameType, payload: ByteArray, channel: UInt = UInt.MAX_VALUE) =
        listener.received(Frame(type, channel, payload).encode())
}
