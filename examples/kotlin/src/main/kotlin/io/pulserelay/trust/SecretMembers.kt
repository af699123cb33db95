package io.pulserelay.trust

/**
 * The members of a flat JSON object of texts and nulls, as byte arrays that [close] wipes. A JSON library would make
 * Strings of them, which nobody can wipe.
 */
internal class SecretMembers private constructor(private val members: Map<String, ByteArray?>) : AutoCloseable {
    /** A member that is not secret. */
    fun text(name: String): String? = members[name]?.decodeToString()

    /** A member as it is: valid until [close]. */
    fun bytes(name: String): ByteArray? = members[name]

    override fun close(): Unit = members.values.forEach { it?.fill(0) }

    override fun toString(): String = "SecretMembers(${members.keys})"

    companion object {
        /** Reads JSON that the library wrote; anything else is a bug. */
        fun read(json: ByteArray): SecretMembers = Reader(json).read()
    }

    private class Reader(private val json: ByteArray) {
        private var at = 0

        fun read(): SecretMembers {
            val members = LinkedHashMap<String, ByteArray?>()
            expect('{')
            while (peek() != '}') {
                val name = string().decodeToString()
                expect(':')
                members[name] = if (peek() == '"') string() else null.also { "null".forEach(::expect) }
                if (peek() == ',') expect(',')
            }
            expect('}')
            return SecretMembers(members)
        }

        private fun string(): ByteArray {
            expect('"')
            val out = WipedOutput(json.size)
            while (peek() != '"') {
                val byte = json[at++]
                if (byte == '\\'.code.toByte()) escape(out) else out.write(byte.toInt())
            }
            expect('"')
            return out.take()
        }

        private fun escape(out: WipedOutput) {
            when (val kind = next()) {
                'b' -> out.write(8)
                'f' -> out.write(12)
                'n' -> out.write(10)
                'r' -> out.write(13)
                't' -> out.write(9)
                'u' -> {
                    var point = unit()
                    if (Character.isHighSurrogate(point.toChar())) {
                        "\\u".forEach(::expect)
                        point = Character.toCodePoint(point.toChar(), unit().toChar())
                    }
                    Character.toString(point).encodeToByteArray().forEach { out.write(it.toInt()) }
                }
                else -> out.write(kind.code)
            }
        }

        private fun unit(): Int = (1..4).fold(0) { unit, _ -> unit * 16 + next().digitToInt(16) }

        private fun peek(): Char = json.getOrElse(at) { error("the object ends too early") }.toInt().toChar()

        private fun next(): Char = peek().also { at++ }

        private fun expect(char: Char): Unit = check(next() == char) { "no flat JSON object at byte ${at - 1}" }
    }
}
