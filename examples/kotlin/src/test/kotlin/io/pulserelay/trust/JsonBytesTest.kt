package io.pulserelay.trust

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What a connection check is asked with. */
class JsonBytesTest {
    private fun written(text: String) = JsonBytes(JsonBytes.roomFor(text.length)).string(text).take().decodeToString()

    @Test
    fun `every control character is escaped as Go does`() {
        val text = (0..0x1f).joinToString("") { it.toChar().toString() }
        assertEquals(text, Json.decodeFromString<JsonPrimitive>(written(text)).content)
        assertTrue("""\u0007\b\t\n\u000b\f\r\u000e""" in written(text), written(text))
    }

    @Test
    fun `what HTML and JavaScript take for their own is escaped as Go does`() {
        val text = "a<b>&\"\\/\u2028\u2029\u2030é😀"
        assertEquals(""""a\u003cb\u003e\u0026\"\\/\u2028\u2029‰é😀"""", written(text))
    }
}
