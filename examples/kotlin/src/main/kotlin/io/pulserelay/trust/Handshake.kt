package io.pulserelay.trust

import io.pulserelay.trust.ffi.Handle
import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.callForBytes
import io.pulserelay.trust.ffi.callForHandle
import io.pulserelay.trust.ffi.lend

/** The app's side of a key exchange, between its message and the instance's. */
public class Handshake private constructor(private val handle: Handle) : AutoCloseable {
    /** The payload of the app's KEY_EXCHANGE frame. */
    public fun message(): ByteArray = handle.use { handshake ->
        callForBytes { out, error -> PulseLibrary.pulse_handshake_message(handshake, out, error) }
    }

    /**
     * Takes the payload of the instance's KEY_EXCHANGE frame. There is a channel only if the identity of the pairing
     * code ([PairingCode.requireIdentity]) signed it; anybody else is refused as [PulseCode.KEY_EXCHANGE_SIGNATURE].
     * A handshake can be finished once, whatever comes of it.
     */
    public fun finish(instanceMessage: ByteArray, identityPublicKey: String): Channel {
        val channel = handle.useAlone { handshake ->
            lend(instanceMessage) { message, messageLength ->
                lend(identityPublicKey) { key, keyLength ->
                    callForHandle { out, error ->
                        PulseLibrary.pulse_handshake_finish(handshake, message, messageLength, key, keyLength, out, error)
                    }
                }
            }
        }
        return Channel(Handle(channel, PulseLibrary::pulse_channel_free))
    }

    /** Wipes the handshake. */
    override fun close(): Unit = handle.close()

    override fun toString(): String = "Handshake"

    public companion object {
        /** Makes an ephemeral key. */
        public fun start(): Handshake =
            Handshake(Handle(callForHandle(PulseLibrary::pulse_handshake_start), PulseLibrary::pulse_handshake_free))
    }
}
