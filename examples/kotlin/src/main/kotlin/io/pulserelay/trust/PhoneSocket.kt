package io.pulserelay.trust

/** The longest message of a connection, in bytes: refuse a longer one before it is read whole. */
public const val MAX_MESSAGE_SIZE: Int = 65_536 + 6

/**
 * A WebSocket connection that was asked for: each binary message carries one frame. Calls on it do not overlap and do not
 * fail: what goes wrong ends the connection, which its listener is told.
 */
public interface PhoneSocket {
    /** Sends a binary message, after those before it. It may return before the message is out. */
    public fun send(message: ByteArray)

    /** Closes the connection with a status code, or gives the attempt up. It is the last call. */
    public fun close(code: Int)
}

/** What happens on a connection. Each may be called from any thread, and late: what is of no use is ignored. */
public interface PhoneSocketListener {
    /** The connection is open. */
    public fun opened()

    /** A binary message has arrived. */
    public fun received(message: ByteArray)

    /** The connection is over, or could not be made, or sent something other than a binary message. */
    public fun ended()
}

/** Opens connections: on a JDK by `java.net.http`, on Android by OkHttp. */
public fun interface PhoneSockets {
    /** Begins to connect, without following redirects, and returns at once. It does not fail either. */
    public fun open(url: String, listener: PhoneSocketListener): PhoneSocket
}
