package io.pulserelay.phone

import io.pulserelay.trust.MAX_MESSAGE_SIZE
import io.pulserelay.trust.PhoneSocket
import io.pulserelay.trust.PhoneSocketListener
import io.pulserelay.trust.PhoneSockets
import java.io.ByteArrayOutputStream
import java.net.URI
import java.net.http.HttpClient
import java.net.http.WebSocket
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/** WebSockets of the JDK. */
class JdkSockets : PhoneSockets {
    private val client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build()

    override fun open(url: String, listener: PhoneSocketListener): PhoneSocket {
        val connecting = try {
            client.newWebSocketBuilder().buildAsync(URI(url), Receiver(listener))
        } catch (failure: Exception) {
            CompletableFuture.failedFuture(failure)
        }
        return JdkSocket(connecting, listener)
    }
}

private class JdkSocket(connecting: CompletableFuture<WebSocket>, private val listener: PhoneSocketListener) : PhoneSocket {
    /** The last step that was asked for: the JDK takes the next one when it is done. */
    private var last: CompletableFuture<WebSocket> = connecting

    init {
        connecting.whenComplete { _, failure -> if (failure != null) listener.ended() }
    }

    override fun send(message: ByteArray) {
        last = last.thenCompose { it.sendBinary(ByteBuffer.wrap(message), true) }
        last.whenComplete { _, failure -> if (failure != null) listener.ended() }
    }

    override fun close(code: Int) {
        last.thenCompose { it.sendClose(code, "") }.whenComplete { socket, _ -> socket?.abort() }
    }
}

private class Receiver(private val listener: PhoneSocketListener) : WebSocket.Listener {
    private val message = ByteArrayOutputStream()

    override fun onOpen(socket: WebSocket) {
        listener.opened()
        socket.request(1)
    }

    override fun onBinary(socket: WebSocket, data: ByteBuffer, last: Boolean): CompletionStage<*>? {
        if (message.size() + data.remaining() > MAX_MESSAGE_SIZE) return end(socket)
        message.write(ByteArray(data.remaining()).also(data::get))
        if (last) {
            listener.received(message.toByteArray())
            message.reset()
        }
        socket.request(1)
        return null
    }

    override fun onText(socket: WebSocket, data: CharSequence, last: Boolean): CompletionStage<*>? = end(socket)

    override fun onClose(socket: WebSocket, statusCode: Int, reason: String): CompletionStage<*>? {
        listener.ended()
        return null
    }

    override fun onError(socket: WebSocket, error: Throwable): Unit = listener.ended()

    private fun end(socket: WebSocket): CompletionStage<*>? {
        socket.abort()
        listener.ended()
        return null
    }
}
