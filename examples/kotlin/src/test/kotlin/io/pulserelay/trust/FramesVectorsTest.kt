package io.pulserelay.trust

import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** Frames as the deployed runtime writes and reads them. */
class FramesVectorsTest {
    private val vectors = vectors("frames.json")

    @TestFactory
    fun frames() = vectors.tests("frames") { case ->
        val bytes = case.bytes("frame_hex")
        val frame = Frame.decode(bytes)
        assertEquals(case.text("type"), frame.type.name)
        assertEquals(case.text("channel").toUInt(), frame.channel)
        assertEquals(case.optional("payload_text"), frame.payload.decodeToString())
        assertArrayEquals(bytes, frame.encode())
    }

    @TestFactory
    fun decode() = vectors.tests("decode") { case ->
        val bytes = case.bytes("hex")
        val refusal = mapOf(
            "too_short" to PulseCode.FRAME_TOO_SHORT,
            "unsupported_version" to PulseCode.FRAME_VERSION,
            "unknown_type" to PulseCode.FRAME_TYPE,
        )
        when (val error = case.text("error")) {
            "" -> assertArrayEquals(bytes, Frame.decode(bytes).encode())
            else -> assertRefused(refusal.getValue(error)) { Frame.decode(bytes) }
        }
    }

    @Test
    fun `payload sizes`() {
        val sizes = vectors.getValue("payload_sizes").jsonObject
        assertEquals(3, sizes.size)
        for ((size, accepted) in sizes) {
            val frame = Frame(FrameType.DATA, UInt.MAX_VALUE, ByteArray(size.toInt()) { it.toByte() })
            if (accepted.jsonPrimitive.boolean) {
                val decoded = Frame.decode(frame.encode())
                assertEquals(UInt.MAX_VALUE, decoded.channel)
                assertArrayEquals(frame.payload, decoded.payload)
            } else {
                assertRefused(PulseCode.FRAME_TOO_LARGE) { frame.encode() }
                val tooLong = hex("0107ffffffff") + frame.payload
                assertRefused(PulseCode.FRAME_TOO_LARGE) { Frame.decode(tooLong) }
            }
        }
    }
}
