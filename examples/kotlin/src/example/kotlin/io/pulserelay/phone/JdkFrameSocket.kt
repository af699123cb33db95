package io.pulserelay.phone

import java.io.ByteArrayOutputStream
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.WebSocket
import java.nio.ByteBuffer
import java.time.Duration
import java.util.concurrent.CompletionStage
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** A [FrameSocket] over the WebSocket of the JDK. */
class JdkFrameSocket(url: String, private val timeout: Duration) : FrameSocket {
    private val received = LinkedBlockingQueue<Result<ByteArray>>()
    private val socket: WebSocket = HttpClient.newHttpClient().newWebSocketBuilder()
        .connectTimeout(timeout)
        .buildAsync(URI(url), Listener())
        .get(timeout.toMillis(), TimeUnit.MILLISECONDS)

    override fun send(frame: ByteArray) {
        socket.sendBinary(ByteBuffer.wrap(frame), true).get(timeout.toMillis(), TimeUnit.MILLISECONDS)
    }

    override fun receive(): ByteArray =
        (received.poll(timeout.toMillis(), TimeUnit.MILLISECONDS) ?: throw IOException("no answer within $timeout")).getOrThrow()

    override fun close() {
        try {
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(1, TimeUnit.SECONDS)
        } catch (_: Exception) {
            // It was closed already, or the other side is gone: then it is torn down.
        } finally {
            socket.abort()
        }
    }

    private inner class Listener : WebSocket.Listener {
        private val message = ByteArrayOutputStream()

        override fun onBinary(socket: WebSocket, data: ByteBuffer, last: Boolean): CompletionStage<*>? {
            val part = ByteArray(data.remaining()).also(data::get)
            if (message.size() + part.size > MAX_MESSAGE) {
                end("a message of more than $MAX_MESSAGE bytes")
                socket.abort()
                return null
            }
            message.write(part)
            if (last) {
                received.add(Result.success(message.toByteArray()))
                message.reset()
            }
            socket.request(1)
            return null
        }

        override fun onClose(socket: WebSocket, statusCode: Int, reason: String): CompletionStage<*>? {
            end("the relay closed the connection ($statusCode $reason)")
            return null
        }

        override fun onError(socket: WebSocket, error: Throwable) {
            received.add(Result.failure(IOException(error)))
        }

        private fun end(why: String) {
            received.add(Result.failure(IOException(why)))
        }
    }

    private companion object {
        /** A frame's payload, its header, and nothing more. */
        const val MAX_MESSAGE = 65_536 + 6
    }
}
