package io.pulserelay.trust

import io.pulserelay.trust.ffi.Handle
import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.callForBytes
import io.pulserelay.trust.ffi.lend

/**
 * The app's side of an established channel. Threads take turns; messages must be sent in the order in which they were
 * sealed, or the instance refuses the earlier one as a replay.
 */
public class Channel internal constructor(private val handle: Handle) : AutoCloseable {
    /** Seals a message: the payload of a DATA frame. */
    public fun seal(plaintext: ByteArray): ByteArray = handle.useAlone { channel ->
        lend(plaintext) { text, length ->
            callForBytes { out, error -> PulseLibrary.pulse_channel_seal(channel, text, length, out, error) }
        }
    }

    /**
     * Opens the payload of a DATA frame. A message that is refused ([PulseCode.MESSAGE_REPLAYED],
     * [PulseCode.MESSAGE_FORGED], [PulseCode.MESSAGE_MALFORMED]) changes nothing.
     */
    public fun open(sealed: ByteArray): ByteArray = handle.useAlone { channel ->
        lend(sealed) { bytes, length ->
            callForBytes { out, error -> PulseLibrary.pulse_channel_open(channel, bytes, length, out, error) }
        }
    }

    /** Wipes the channel's keys. */
    override fun close(): Unit = handle.close()

    override fun toString(): String = "Channel"
}
