package io.pulserelay.trust

import com.sun.jna.Pointer
import com.sun.jna.PointerType
import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.SizeT
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.lang.reflect.Modifier
import java.nio.file.Path
import kotlin.io.path.readText

/** Holds what is written down here about the C contract against the header itself. */
class HeaderTest {
    private val header = Path.of("../../include/pulse_trust.h").readText()

    @Test
    fun `the codes are those of the header`() {
        val defined = Regex("""^#define PULSE_ERR_(\w+) (\d+)$""", RegexOption.MULTILINE).findAll(header)
            .associate { it.groupValues[2].toInt() to it.groupValues[1] }
        assertTrue(defined.size > 50)
        assertEquals(defined, PulseCode.entries.associate { it.number to it.name }, "run generate-codes.sh")
    }

    @Test
    fun `the constants have the numbers of their names`() {
        val getters = PulseCode.Companion::class.java.methods.filter { it.returnType == Int::class.java && it.name.startsWith("get") }
        val constants = getters.associate { it.invoke(PulseCode) as Int to it.name.removePrefix("get").substringBefore('-') }
        assertEquals(PulseCode.entries.associate { it.number to it.name }, constants)
    }

    @Test
    fun `the library has the names of the codes`() {
        for (code in PulseCode.entries) {
            assertEquals(code.name, PulseLibrary.pulse_status_name(code.number).getString(0))
        }
        assertEquals("UNKNOWN", PulseCode(-1).name)
        assertEquals("UNKNOWN", PulseLibrary.pulse_status_name(-1).getString(0))
    }

    @Test
    fun `the functions are called as the header declares them`() {
        val declared = Regex("""^(\w[\w ]*?[ *]+)(pulse_\w+)\(([^)]*)\);""", RegexOption.MULTILINE).findAll(header)
            .associate { (_, result, name, parameters) ->
                val kinds = parameters.split(',').map(String::trim).filter { it != "void" }.map(::kind)
                name to (kinds to kind("$result x"))
            }
        val used = PulseLibrary::class.java.declaredMethods.filter { Modifier.isNative(it.modifiers) }
        assertTrue(used.size > 25)
        for (method in used) {
            assertEquals(declared[method.name], method.parameterTypes.map(::kind) to kind(method.returnType), method.name)
        }
    }

    private operator fun MatchResult.component1() = groupValues[0]
    private operator fun MatchResult.component2() = groupValues[1]
    private operator fun MatchResult.component3() = groupValues[2]
    private operator fun MatchResult.component4() = groupValues[3]

    /** What a C parameter is passed as. */
    private fun kind(parameter: String): String = when {
        '*' in parameter -> "pointer"
        else -> when (val type = parameter.trim().removePrefix("const ").substringBefore(' ')) {
            "size_t" -> "size"
            "pulse_status", "int32_t", "uint32_t" -> "32"
            "uint8_t" -> "8"
            "int64_t", "uint64_t" -> "64"
            else -> type
        }
    }

    private fun kind(type: Class<*>): String = when {
        Pointer::class.java.isAssignableFrom(type) || PointerType::class.java.isAssignableFrom(type) -> "pointer"
        type == SizeT::class.java -> "size"
        type == Int::class.java -> "32"
        type == Byte::class.java -> "8"
        type == Long::class.java -> "64"
        else -> type.name
    }
}
