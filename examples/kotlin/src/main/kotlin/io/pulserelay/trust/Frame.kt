package io.pulserelay.trust

import com.sun.jna.ptr.ByteByReference
import com.sun.jna.ptr.IntByReference
import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.SizeTByReference
import io.pulserelay.trust.ffi.call
import io.pulserelay.trust.ffi.callForBytes
import io.pulserelay.trust.ffi.lend

/** What a frame is, by its type byte. */
public enum class FrameType(public val number: Int) {
    REGISTER(0x01),
    REGISTER_ACK(0x02),
    CONNECT(0x03),
    CONNECT_ACK(0x04),
    CHANNEL_OPEN(0x05),
    CHANNEL_CLOSE(0x06),
    DATA(0x07),
    PING(0x08),
    PONG(0x09),
    ERROR(0x0a),
    DRAIN(0x0b),
    KEY_EXCHANGE(0x0c),
    PUSH_NOTIFICATION(0x0d),
}

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
