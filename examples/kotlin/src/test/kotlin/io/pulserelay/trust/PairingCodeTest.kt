package io.pulserelay.trust

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** Every check of a scanned code, and what a code never shows. */
class PairingCodeTest {
    private val key = vectors("channel.json").text("identity_public_key")
    private val fingerprint = vectors("channel.json").text("identity_fingerprint")
    private val members = mapOf(
        "auth_token" to TOKEN,
        "identity_fingerprint" to fingerprint,
        "identity_public_key" to key,
        "instance_id" to "relay_2e1b0929e6fd7c52",
        "instance_url" to "https://t.example.test",
        "relay_url" to "wss://relay.example.test/ws/app",
        "schema" to "pulse-mobile-onboarding-v1",
    )

    private fun link(members: Map<String, String>) = "pulse://connect?" +
        members.entries.joinToString("&") { (name, value) -> "$name=" + java.net.URLEncoder.encode(value, Charsets.UTF_8) }

    @Test
    fun `a code that passes every check`() = PairingCode.parse(link(members + ("name" to "Büro"))).use { code ->
        assertEquals("https://t.example.test", code.instanceUrl)
        assertEquals("Büro", code.name)
        assertEquals(key, code.requireIdentity())
        assertEquals(fingerprint, code.identityFingerprint)
    }

    @TestFactory
    fun `each check has its code`(): List<DynamicTest> {
        val weak = java.util.Base64.getEncoder().encodeToString(ByteArray(32).also { it[0] = 1 })
        val without = { name: String -> link(members - name) }
        val with = { name: String, value: String -> link(members + (name to value)) }
        return listOf(
            Triple("too large", link(members) + "&x=" + "x".repeat(4096), PulseCode.PAIRING_TOO_LARGE),
            Triple("empty", "", PulseCode.PAIRING_MALFORMED),
            Triple("another scheme", "https://connect?" + link(members).substringAfter('?'), PulseCode.PAIRING_MALFORMED),
            Triple("broken JSON", "{\"auth_token\":\"$TOKEN\"", PulseCode.PAIRING_MALFORMED),
            Triple("a control character", with("name", "a\u0000b"), PulseCode.PAIRING_MALFORMED),
            Triple("not a WebSocket", with("relay_url", "https://relay.example.test"), PulseCode.PAIRING_MALFORMED),
            Triple("a key twice", link(members) + "&auth_token=other", PulseCode.PAIRING_DUPLICATE),
            Triple("no token", without("auth_token"), PulseCode.PAIRING_MISSING),
            Triple("no instance id", without("instance_id"), PulseCode.PAIRING_MISSING),
            Triple("no relay URL", without("relay_url"), PulseCode.PAIRING_MISSING),
            Triple("another schema", with("schema", "pulse-mobile-onboarding-v2"), PulseCode.PAIRING_SCHEMA),
            Triple("ws to a public address", with("relay_url", "ws://relay.example.test/ws/app"), PulseCode.PAIRING_INSECURE_URL),
            Triple("no key", with("identity_public_key", "%%%"), PulseCode.KEY_ENCODING),
            Triple("a weak key", with("identity_public_key", weak), PulseCode.KEY_WEAK),
            Triple("another fingerprint", with("identity_fingerprint", "00" + fingerprint.drop(2)), PulseCode.KEY_FINGERPRINT_MISMATCH),
            Triple("a fingerprint alone", without("identity_public_key"), PulseCode.KEY_FINGERPRINT_MISMATCH),
            Triple("half a surrogate pair", "pulse://connect?name=\ud83d", PulseCode.INVALID_ARGUMENT),
        ).map { (name, scanned, code) ->
            DynamicTest.dynamicTest(name) {
                val refusal = assertRefused(code) { PairingCode.parse(scanned).close() }
                assertTrue(refusal.reason.isNotEmpty())
                assertTrue("${code.number}" in refusal.toString())
                assertFalse(TOKEN in refusal.stackTraceToString())
            }
        }
    }

    @Test
    fun `bytes that are not UTF-8 are refused`() {
        assertRefused(PulseCode.INVALID_ARGUMENT) { PairingCode.parse("pulse://connect?name=".encodeToByteArray() + -1) }
    }

    @Test
    fun `the token is lent and wiped`() = PairingCode.parse(link(members)).use { code ->
        val lent = code.withAuthToken { it.also { token -> assertEquals(TOKEN, token.decodeToString()) } }
        assertTrue(lent.all { it == 0.toByte() })
        assertFalse(TOKEN in code.toString(), code.toString())
        assertFalse(TOKEN in Frame(FrameType.CONNECT, 0u, TOKEN.encodeToByteArray()).toString())
    }

    @Test
    fun `a closed code gives no token`() {
        val code = PairingCode.parse(link(members))
        code.close()
        code.close()
        assertRefused(PulseCode.INVALID_ARGUMENT) { code.withAuthToken {} }
    }

    @Test
    fun `a connection is checked`() {
        fun check(relayEnabled: Boolean = true, own: String? = "relay_1", id: String = "relay_1", token: String = TOKEN) =
            ConnectionCheck(
                relayEnabled, "wss://relay.example.test", own, id, "wss://relay.example.test/ws/app", token.encodeToByteArray(),
                tokenKnown = token == TOKEN,
            )
        assertEquals(emptyList<Diagnostic>(), check().run())
        fun codes(check: ConnectionCheck) = check.run().map(Diagnostic::code)
        assertEquals(listOf("relay_disabled"), codes(check(relayEnabled = false)))
        assertEquals(listOf("instance_id_unverifiable"), codes(check(own = null)))
        assertEquals(listOf("instance_id_missing"), codes(check(id = "")))
        assertEquals(listOf("auth_token_missing"), codes(check(token = "")))
        assertEquals(listOf("auth_token_invalid"), codes(check(token = "ot\"her")))
        val mismatch = check(id = "relay_2").run().single()
        assertEquals("instance_id_mismatch", mismatch.code)
        assertEquals("relay_1" to "relay_2", mismatch.expected to mismatch.received)
        assertFalse(TOKEN in check().toString())
    }

    @Test
    fun `a text that no QR code holds is refused`() {
        assertRefused(PulseCode.QR_TOO_LARGE) { Qr.svg("x".repeat(2954)) }
        assertTrue(Qr.terminal("pulse://connect").lines().size > 10)
        assertNull(PulseException(PulseCode.QR_TOO_LARGE, "x").wireCode)
    }

    private companion object {
        const val TOKEN = "hunter2-hunter2"
    }
}
