package io.pulserelay.trust

import com.sun.jna.ptr.ByteByReference
import com.sun.jna.ptr.IntByReference
import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.SizeTByReference
import io.pulserelay.trust.ffi.call
import io.pulserelay.trust.ffi.callForBytes
import io.pulserelay.trust.ffi.lend

/** One message between an instance, the relay and a phone: one binary WebSocket message. */
public class Frame(
    public val type: FrameType,
    /** 0 where the frame is about no channel. */
    public val channel: UInt,
    /** At most 65,536 bytes. That of CONNECT holds the auth token: wipe it when it is sent. */
    public val payload: ByteArray,
) {
    /** The frame's bytes. */
    public fun encode(): ByteArray = lend(payload) { bytes, length ->
        callForBytes { out, error ->
            PulseLibrary.pulse_frame_encode(type.number.toByte(), channel.toInt(), bytes, length, out, error)
        }
    }

    override fun toString(): String = "Frame($type, channel $channel, ${payload.size} bytes)"

    public companion object {
        private val types = FrameType.entries.associateBy(FrameType::number)

        /** Reads a frame. */
        public fun decode(bytes: ByteArray): Frame {
            val type = ByteByReference()
            val channel = IntByReference()
            val offset = SizeTByReference()
            lend(bytes) { frame, length ->
                call { error -> PulseLibrary.pulse_frame_decode(frame, length, type, channel, offset, error) }
            }
            val number = type.value.toInt() and 0xff
            val known = types[number] ?: throw PulseException(PulseCode.FRAME_TYPE, "a frame of type $number")
            return Frame(known, channel.value.toUInt(), bytes.copyOfRange(Math.toIntExact(offset.value), bytes.size))
        }
    }
}
