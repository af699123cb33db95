package io.pulserelay.trust

import io.pulserelay.trust.ffi.PulseLibrary
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The generated codes against the library that is loaded. */
class CodesTest {
    @Test
    fun `the library has the names of the codes`() {
        assertTrue(PulseCode.entries.size > 50)
        for (code in PulseCode.entries) {
            assertEquals(code.name, PulseLibrary.pulse_status_name(code.number)?.getString(0))
        }
        assertEquals("UNKNOWN", PulseCode(-1).name)
        assertEquals("UNKNOWN", PulseLibrary.pulse_status_name(-1)?.getString(0))
    }

    @Test
    fun `the constants have the numbers of their names`() {
        val getters = PulseCode.Companion::class.java.methods.filter { it.returnType == Int::class.java && it.name.startsWith("get") }
        val constants = getters.associate { it.invoke(PulseCode) as Int to it.name.removePrefix("get").substringBefore('-') }
        assertEquals(PulseCode.entries.associate { it.number to it.name }, constants)
    }
}
