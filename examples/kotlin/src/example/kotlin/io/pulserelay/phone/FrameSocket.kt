package io.pulserelay.phone

/** A WebSocket that carries one frame in each binary message. On Android, OkHttp's WebSocket goes behind this. */
interface FrameSocket : AutoCloseable {
    fun send(frame: ByteArray)

    /** The next frame; fails when the connection ended or nothing came in time. */
    fun receive(): ByteArray
}
