package io.pulserelay.trust

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** What is wrong with a pairing or a connection, and what to do. */
public data class Diagnostic(
    /** The stable name, as `relay_url_mismatch`. */
    val code: String,
    /** `error` or `warning`. */
    val severity: String,
    /** In words, to show. */
    val message: String,
    /** Which member it is about. */
    val field: String?,
    val expected: String?,
    val received: String?,
) {
    internal companion object {
        /** Reads a JSON array of diagnostics. */
        fun listOf(json: String): List<Diagnostic> = listOf(Json.parseToJsonElement(json))

        fun listOf(json: JsonElement): List<Diagnostic> = json.jsonArray.map { element ->
            fun text(name: String) = element.jsonObject[name]?.jsonPrimitive?.contentOrNull
            Diagnostic(
                text("code").orEmpty(), text("severity").orEmpty(), text("message").orEmpty(),
                text("field"), text("expected"), text("received"),
            )
        }
    }
}
