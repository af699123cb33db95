package io.pulserelay.trust

import com.sun.jna.Pointer
import com.sun.jna.ptr.IntByReference
import com.sun.jna.ptr.PointerByReference
import io.pulserelay.trust.ffi.Handle
import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.SessionDo
import io.pulserelay.trust.ffi.SessionFeed
import io.pulserelay.trust.ffi.call
import io.pulserelay.trust.ffi.callForHandle
import io.pulserelay.trust.ffi.callForText
import io.pulserelay.trust.ffi.lend
import io.pulserelay.trust.ffi.takeBytes
import io.pulserelay.trust.ffi.utf8
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject
import java.security.SecureRandom
import java.util.Base64
import java.util.concurrent.Future
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.ScheduledThreadPoolExecutor
import java.util.concurrent.TimeUnit

/** What a phone says beyond its pairing code. */
public class PhoneSettings(
    /** **Secret**: where notifications are sent; empty is nowhere. */
    public val deviceToken: String = "",
    /** `ios` or `android`; empty means none. */
    public val platform: String = "",
    /** Which notifications are wanted; null leaves it to the relay. */
    public val notificationPreferences: NotificationPreferences? = null,
    /** How long a request waits for its answer, in milliseconds; null is as deployed. */
    public val answerMillis: Long? = null,
)

/** Which notifications a phone wants. */
public data class NotificationPreferences(
    val critical: Boolean,
    val warning: Boolean,
    val approval: Boolean,
    val fixResult: Boolean,
)

/**
 * A phone's end of a conversation. It decides who opens, verifies, counts, closes and comes back; here it gets sockets and
 * a clock. Every event goes to one handler, in order, on the session's own thread.
 */
public class PhoneSession private constructor(
    private val handle: Handle,
    private val sockets: PhoneSockets,
    private val handler: (PhoneEvent) -> Unit,
) : AutoCloseable {
    private val thread = ScheduledThreadPoolExecutor(1) { job -> Thread(job, "pulse-phone").apply { isDaemon = true } }
        .apply { removeOnCancelPolicy = true }

    // These are of the session's thread alone.
    private var socket: PhoneSocket? = null
    private var timer: Future<*>? = null
    private var isClosed = false

    /** Begins to connect, also where the session has stopped by itself. */
    public fun start(): Unit = report(SessionFeed.START)

    /** Closes the connection; every request that waits fails. */
    public fun stop(): Unit = report(SessionFeed.STOP)

    /**
     * Asks the instance something, after [PhoneEvent.Ready]. Events name it by the number that is returned. What is
     * refused ([PulseCode.SESSION_NOT_OPEN], [PulseCode.REQUEST_LIMIT], [PulseCode.SEND_QUEUE_FULL],
     * [PulseCode.BODY_TOO_LARGE], [PulseCode.FRAME_TOO_LARGE]) was not sent.
     */
    public fun request(
        method: String,
        path: String,
        headers: Map<String, String> = emptyMap(),
        body: ByteArray = ByteArray(0),
    ): Long {
        val act = buildJsonObject {
            put("act", "request")
            put("method", method)
            put("path", path)
            putJsonObject("headers") { headers.forEach { (name, value) -> put(name, value) } }
            put("body", Base64.getEncoder().encodeToString(body))
        }
        return Json.parseToJsonElement(act(act.toString())).jsonObject.getValue("request").jsonPrimitive.long
    }

    /** Gives a request up: it fails as `canceled`, and what still arrives for it is dropped. */
    public fun cancel(request: Long) {
        act(buildJsonObject { put("act", "cancel"); put("request", request) }.toString())
    }

    /** Tells the other side, closes the connection and wipes the session. The handler is not called any more. */
    override fun close() {
        onThread {
            feed(SessionFeed.STOP, 0, NOTHING)
            obey { }
            timer?.cancel(false)
            isClosed = true
            handle.close()
        }
        thread.shutdown()
    }

    override fun toString(): String = "PhoneSession"

    private fun act(json: String): String {
        val result = handle.useAlone { session ->
            lend(json) { act, length ->
                callForText { out, error ->
                    PulseLibrary.pulse_session_act(session, act, length, millis(), unixSeconds(), out, error)
                }
            }
        }
        onThread { obey(handler) }
        return result
    }

    private fun report(feed: Int, connection: Int = 0, data: ByteArray = NOTHING) = onThread {
        feed(feed, connection, data)
        obey(handler)
    }

    private fun onThread(job: () -> Unit) {
        try {
            thread.execute { if (!isClosed) job() }
        } catch (_: RejectedExecutionException) {
            // It was closed: what a socket reports late is of no use any more.
        }
    }

    private fun feed(feed: Int, connection: Int, data: ByteArray) = handle.useAlone { session ->
        lend(data) { bytes, length ->
            call { error ->
                PulseLibrary.pulse_session_feed(
                    session, feed, connection, bytes, length, millis(), unixSeconds(), error,
                )
            }
        }
    }

    /** Does what the session wants until it wants nothing more, and sets the timer. */
    private fun obey(handler: (PhoneEvent) -> Unit) {
        while (true) {
            val (what, connection, data) = poll()
            when (what) {
                SessionDo.NOTHING -> break
                SessionDo.CONNECT -> connect(connection, data.decodeToString())
                SessionDo.SEND -> socket?.send(data)
                SessionDo.DISCONNECT -> disconnect(data.decodeToString().toInt())
                SessionDo.EVENT -> tell(handler, PhoneEvent.read(data.decodeToString()))
            }
        }
        timer?.cancel(false)
        val deadline = handle.useAlone(PulseLibrary::pulse_session_deadline)
        if (deadline < 0) return
        val wait = maxOf(0, deadline - millis())
        timer = thread.schedule({ report(SessionFeed.TIMEOUT) }, wait, TimeUnit.MILLISECONDS)
    }

    /** A handler that fails must not end the session: its failure goes where those of a thread go. */
    private fun tell(handler: (PhoneEvent) -> Unit, event: PhoneEvent) {
        try {
            handler(event)
        } catch (failure: Exception) {
            Thread.currentThread().run { uncaughtExceptionHandler.uncaughtException(this, failure) }
        }
    }

    private fun poll(): Triple<Int, Int, ByteArray> = handle.useAlone { session ->
        val (what, connection, data) = Triple(IntByReference(), IntByReference(), PointerByReference())
        call { error -> PulseLibrary.pulse_session_poll(session, what, connection, data, error) }
        Triple(what.value, connection.value, takeBytes(data.value))
    }

    private fun connect(connection: Int, url: String) {
        socket = sockets.open(url, object : PhoneSocketListener {
            override fun opened() = report(SessionFeed.CONNECTED, connection)
            override fun received(message: ByteArray) = report(SessionFeed.MESSAGE, connection, message)
            override fun ended() = report(SessionFeed.DISCONNECTED, connection)
        })
    }

    private fun disconnect(code: Int) {
        socket?.close(code)
        socket = null
    }

    public companion object {
        private val NOTHING = ByteArray(0)
        private val random = SecureRandom()

        /**
         * A phone's end, for the instance of a scanned code; [start] begins it. A code without an identity is refused as
         * [PulseCode.PAIRING_NO_IDENTITY]. The scanned bytes stay the caller's, to be wiped.
         */
        public fun of(
            scanned: ByteArray,
            sockets: PhoneSockets,
            settings: PhoneSettings = PhoneSettings(),
            handler: (PhoneEvent) -> Unit,
        ): PhoneSession {
            val text = utf8(json(settings))
            val session: Pointer = try {
                lend(scanned) { code, codeLength ->
                    lend(text) { json, jsonLength ->
                        callForHandle { out, error ->
                            PulseLibrary.pulse_session_new_phone(code, codeLength, json, jsonLength, out, error)
                        }
                    }
                }
            } finally {
                text.fill(0)
            }
            return PhoneSession(Handle(session, PulseLibrary::pulse_session_free), sockets, handler)
        }

        private fun json(settings: PhoneSettings): String = buildJsonObject {
            put("device_token", settings.deviceToken)
            put("platform", settings.platform)
            settings.answerMillis?.let { put("answer_ms", it) }
            settings.notificationPreferences?.let { wanted ->
                putJsonObject("notification_preferences") {
                    put("critical_enabled", wanted.critical)
                    put("warning_enabled", wanted.warning)
                    put("approval_enabled", wanted.approval)
                    put("fix_result_enabled", wanted.fixResult)
                }
            }
            // Spreads waiting times.
            put("seed", random.nextInt().toUInt().toLong())
        }.toString()

        /** The clock of the moments in events, which never goes back. */
        public fun millis(): Long = (System.nanoTime() - origin) / 1_000_000

        /** `nanoTime` may be negative; the session's clock is not. */
        private val origin = System.nanoTime()

        private fun unixSeconds(): Long = System.currentTimeMillis() / 1000
    }
}
