package io.pulserelay.trust

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.TestFactory
import javax.xml.parsers.DocumentBuilderFactory

/** Pairing codes as the deployed runtime builds them, scanned by the phone. */
class OnboardingVectorsTest {
    private val vectors = vectors("onboarding.json")

    @TestFactory
    fun cases() = vectors.tests("cases") { case ->
        val build = {
            PairingOffer.build(
                case.getValue("relay_config").toString(), case.text("instance_id"), case.text("auth_token"), case.text("instance_url"),
            )
        }
        val expected = case.texts(if ("ours_diagnostic_codes" in case) "ours_diagnostic_codes" else "diagnostic_codes")
        if (!case.getValue("ready").jsonPrimitive.boolean) {
            val refusal = assertRefused(PulseCode.PAIRING_NOT_READY) { build() }
            assertEquals(expected, refusal.diagnostics.map(Diagnostic::code))
            assertTrue(refusal.diagnostics.any { it.severity == "error" && it.message.isNotEmpty() })
            return@tests
        }
        val offer = build()
        assertEquals(expected, offer.diagnostics.map(Diagnostic::code))
        val payload = case.getValue("payload")
        val built = Json.parseToJsonElement(offer.secretPayload)
        if ("ours_diagnostic_codes" in case) {
            assertEquals(payload.without("diagnostics"), built.without("diagnostics"))
        } else {
            assertEquals(payload.without("message"), built.without("message"))
        }
        assertFalse(case.text("auth_token") in offer.toString())
        for (scanned in listOf(offer.secretPayload, offer.secretDeepLink, offer.secretCompactCode)) {
            assertScanned(scanned, case.text("instance_id"), case.text("auth_token"), payload as JsonObject)
        }
        assertFalse("identity_fingerprint" in offer.secretCompactCode || "instance_url" in offer.secretCompactCode)
        val picture = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(Qr.svg(offer.secretCompactCode).byteInputStream())
        assertEquals("svg", picture.documentElement.tagName)
    }

    private fun assertScanned(scanned: String, instanceId: String, token: String, payload: JsonObject) {
        val relay = payload.getValue("relay") as JsonObject
        PairingCode.parse(scanned).use { code ->
            assertEquals(instanceId, code.instanceId)
            assertEquals(relay.text("url"), code.relayUrl)
            assertEquals(relay.optional("identity_public_key"), code.identityPublicKey)
            assertEquals(relay.optional("identity_fingerprint"), code.identityFingerprint)
            code.withAuthToken { assertEquals(token, it.decodeToString()) }
            assertFalse(token in code.toString())
            if (code.identityPublicKey == null) {
                assertRefused(PulseCode.PAIRING_NO_IDENTITY) { code.requireIdentity() }
            } else {
                assertEquals(code.identityFingerprint, PublicKey.parse(code.requireIdentity()).fingerprint)
            }
        }
    }

    @TestFactory
    fun urls() = vectors.tests("relay_urls") { case -> assertEquals(case.text("app_url"), relayUrlForApp(case.text("in"))) }
}
