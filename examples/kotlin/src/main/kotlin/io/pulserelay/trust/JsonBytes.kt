package io.pulserelay.trust

/**
 * Writes compact JSON into bytes that can be wiped, with the escaping of Go's encoding/json, which the deployed runtimes
 * use: `<`, `>`, `&`, U+2028 and U+2029 are escaped too.
 */
internal class JsonBytes(capacity: Int) {
    private val out = WipedOutput(capacity)

    /** Text of the JSON itself. */
    fun raw(text: String): JsonBytes = apply { text.forEach { out.write(it.code) } }

    /** A string: its quotes and its content, which is UTF-8. */
    fun string(utf8: ByteArray): JsonBytes = apply {
        out.write('"'.code)
        var at = 0
        while (at < utf8.size) {
            val byte = utf8[at].toInt() and 0xff
            when {
                byte == '"'.code || byte == '\\'.code -> raw("\\").out.write(byte)
                byte == 0x08 -> raw("\\b")
                byte == 0x0c -> raw("\\f")
                byte == 0x0a -> raw("\\n")
                byte == 0x0d -> raw("\\r")
                byte == 0x09 -> raw("\\t")
                byte < 0x20 || byte == '<'.code || byte == '>'.code || byte == '&'.code -> raw("\\u%04x".format(byte))
                isLineSeparator(utf8, at) -> {
                    raw(if (utf8[at + 2] == 0xa8.toByte()) "\\u2028" else "\\u2029")
                    at += 2
                }
                else -> out.write(byte)
            }
            at++
        }
        out.write('"'.code)
    }

    fun string(text: String): JsonBytes = string(text.encodeToByteArray())

    /** The bytes; what was written is wiped here. */
    fun take(): ByteArray = out.take()

    /** U+2028 and U+2029 are E2 80 A8 and E2 80 A9. */
    private fun isLineSeparator(utf8: ByteArray, at: Int): Boolean =
        at + 2 < utf8.size && utf8[at] == 0xe2.toByte() && utf8[at + 1] == 0x80.toByte() &&
            (utf8[at + 2] == 0xa8.toByte() || utf8[at + 2] == 0xa9.toByte())

    companion object {
        /** Room for texts of these lengths, should every byte be escaped to six. */
        fun roomFor(vararg lengths: Int): Int = 256 + 6 * lengths.sum()
    }
}

/** Output of at most [capacity] bytes: it never grows, so no copy is left behind, and [take] wipes it. */
internal class WipedOutput(capacity: Int) {
    private val bytes = ByteArray(capacity)
    private var size = 0

    fun write(byte: Int) {
        bytes[size++] = byte.toByte()
    }

    fun take(): ByteArray {
        val taken = bytes.copyOf(size)
        bytes.fill(0)
        return taken
    }
}
