package io.pulserelay.trust

import com.sun.jna.Pointer
import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.call
import io.pulserelay.trust.ffi.callForHandle
import io.pulserelay.trust.ffi.lend
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.extension
import kotlin.io.path.readText

/**
 * Every file of `tests/vectors/refused`. The package is a phone's, which verifies no token; its library can, and whoever
 * calls the library gets these answers.
 */
class RefusedTokensTest {
    @TestFactory
    fun `tokens that must be refused are, each for its reason`(): List<DynamicTest> {
        val folder = Path.of("../../tests/vectors/refused")
        val files = Files.walk(folder).use { paths -> paths.filter { it.extension == "json" }.toList() }.sorted()
        assertTrue(files.size > 1000, "${files.size} files")
        return files.map { file ->
            DynamicTest.dynamicTest(folder.relativize(file).toString()) {
                val asked = Json.parseToJsonElement(file.readText()).jsonObject
                assertEquals(asked.text("error"), outcome(asked))
            }
        }
    }

    /** The name of the refusal; empty where there is none. */
    private fun outcome(asked: JsonObject): String {
        val settings = asked.getValue("keys").jsonObject
        val keys = lend(settings.text("lease")) { lease, leaseLength ->
            lend(settings.text("license")) { license, licenseLength ->
                callForHandle { out, error ->
                    PulseLibrary.pulse_trust_keys_new(lease, leaseLength, license, licenseLength, out, error)
                }
            }
        }
        try {
            val token = verify(keys, asked)
            try {
                check(token, asked)
            } finally {
                PulseLibrary.pulse_token_free(token)
            }
            return ""
        } catch (refusal: PulseException) {
            return refusal.code.name
        } finally {
            PulseLibrary.pulse_trust_keys_free(keys)
        }
    }

    private fun verify(keys: Pointer, asked: JsonObject): Pointer {
        val host = asked.text("host")
        val binding = if (host.isEmpty()) ANY_HOST else REQUIRE_HOST
        val leeway = asked.number("leeway").toInt()
        return lend(asked.text("token")) { token, tokenLength ->
            lend(host) { hostText, hostLength ->
                lend(asked.text("org")) { org, orgLength ->
                    callForHandle { out, error ->
                        PulseLibrary.pulse_token_verify(
                            keys, token, tokenLength, binding, hostText, hostLength, org, orgLength, leeway,
                            asked.number("now"), out, error,
                        )
                    }
                }
            }
        }
    }

    private fun check(token: Pointer, asked: JsonObject) {
        val capability = asked.text("capability").ifEmpty { return }
        lend(capability) { text, length ->
            call { error -> PulseLibrary.pulse_token_check(token, text, length, asked.number("now"), error) }
        }
    }

    private fun JsonObject.number(name: String): Long = getValue(name).jsonPrimitive.long

    private companion object {
        const val REQUIRE_HOST = 0
        const val ANY_HOST = 1
    }
}
