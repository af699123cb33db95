package io.pulserelay.phone

import io.pulserelay.trust.Channel
import io.pulserelay.trust.ChannelClose
import io.pulserelay.trust.Connect
import io.pulserelay.trust.ConnectAck
import io.pulserelay.trust.Frame
import io.pulserelay.trust.FrameType
import io.pulserelay.trust.Handshake
import io.pulserelay.trust.PairingCode
import io.pulserelay.trust.ProxyRequest
import io.pulserelay.trust.ProxyResponse
import io.pulserelay.trust.RelayError

/** What the relay or the instance refused, in its own words. */
class Refused(message: String) : Exception(message)

/** A phone with a channel to its instance. It believes whoever answers only as far as the identity's signature goes. */
class Phone private constructor(
    private val socket: FrameSocket,
    private val channelId: UInt,
    private val channel: Channel,
) : AutoCloseable {
    private var requests = 0

    /** Asks the instance's HTTP API; one request at a time. */
    fun get(path: String): ProxyResponse {
        val id = (++requests).toString()
        val request = ProxyRequest(id, "GET", path)
        socket.send(Frame(FrameType.DATA, channelId, channel.seal(request.toJson())).encode())
        val response = ProxyResponse.parse(channel.open(expect(socket, FrameType.DATA).payload))
        if (response.id != id) throw Refused("an answer to request ${response.id} instead of $id")
        return response
    }

    override fun close() {
        channel.close()
        socket.close()
    }

    companion object {
        /** Connects with a scanned code: CONNECT, then the key exchange. */
        fun pair(code: PairingCode, open: (url: String) -> FrameSocket): Phone {
            val identity = code.requireIdentity()
            val socket = open(code.relayUrl)
            try {
                val channelId = connect(code, socket)
                Handshake.start().use { handshake ->
                    socket.send(Frame(FrameType.KEY_EXCHANGE, channelId, handshake.message()).encode())
                    val answer = expect(socket, FrameType.KEY_EXCHANGE)
                    return Phone(socket, channelId, handshake.finish(answer.payload, identity))
                }
            } catch (failure: Throwable) {
                socket.close()
                throw failure
            }
        }

        private fun connect(code: PairingCode, socket: FrameSocket): UInt {
            val payload = Connect(code, platform = "kotlin-example").secretPayload()
            val frame = Frame(FrameType.CONNECT, 0u, payload).encode()
            try {
                socket.send(frame)
            } finally {
                payload.fill(0)
                frame.fill(0)
            }
            return ConnectAck.parse(expect(socket, FrameType.CONNECT_ACK).payload).channelId
        }

        private fun expect(socket: FrameSocket, type: FrameType): Frame {
            while (true) {
                val frame = Frame.decode(socket.receive())
                when (frame.type) {
                    type -> return frame
                    FrameType.PING -> socket.send(Frame(FrameType.PONG, 0u, frame.payload).encode())
                    FrameType.PONG, FrameType.PUSH_NOTIFICATION -> {}
                    FrameType.ERROR -> with(RelayError.parse(frame.payload)) { throw Refused("$code: $message") }
                    FrameType.CHANNEL_CLOSE -> throw Refused("closed: ${ChannelClose.parse(frame.payload).reason}")
                    else -> throw Refused("$type expected, ${frame.type} received")
                }
            }
        }
    }
}
