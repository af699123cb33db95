package io.pulserelay.trust

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.assertThrows
import java.nio.file.Path
import java.util.HexFormat
import kotlin.io.path.readText

/** A file of the shared vectors, the same that every language runs. */
internal fun vectors(name: String): JsonObject {
    val folder = System.getenv("PULSE_TRUST_VECTORS")?.ifEmpty { null } ?: "../../tests/vectors/deployed"
    return Json.parseToJsonElement(Path.of(folder, name).readText()).jsonObject
}

/** One test for each member of a list that must not be empty. */
internal fun JsonObject.tests(list: String, test: (JsonObject) -> Unit): List<DynamicTest> {
    val cases = getValue(list).jsonArray
    assertTrue(cases.isNotEmpty(), list)
    return cases.mapIndexed { index, case ->
        val name = case.jsonObject.optional("name") ?: case.jsonObject.optional("in") ?: index.toString()
        DynamicTest.dynamicTest("$list: $name") { test(case.jsonObject) }
    }
}

internal fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content

internal fun JsonObject.optional(name: String): String? = get(name)?.jsonPrimitive?.contentOrNull

internal fun JsonObject.bytes(name: String): ByteArray = hex(text(name))

internal fun JsonObject.texts(name: String): List<String> = getValue(name).jsonArray.map { it.jsonPrimitive.content }

internal fun hex(text: String): ByteArray = HexFormat.of().parseHex(text)

/** The same JSON without a member at any depth. */
internal fun JsonElement.without(name: String): JsonElement = when (this) {
    is JsonObject -> JsonObject(filterKeys { it != name }.mapValues { (_, value) -> value.without(name) })
    is kotlinx.serialization.json.JsonArray -> kotlinx.serialization.json.JsonArray(map { it.without(name) })
    else -> this
}

/** The refusal of a call that must be refused with this code. */
internal fun assertRefused(code: PulseCode, call: () -> Unit): PulseException {
    val refusal = assertThrows<PulseException> { call() }
    assertTrue(refusal.code == code) { "$code expected: $refusal" }
    return refusal
}
