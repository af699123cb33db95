package io.pulserelay.trust

import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/**
 * Key exchanges and messages as deployed. The library makes its own ephemeral keys, so the vectors cannot be put into it:
 * they hold [DeployedInstance], and that plays against the library.
 */
class ChannelVectorsTest {
    private val vectors = vectors("channel.json")
    private val key = vectors.text("identity_public_key")
    private val instance = DeployedInstance(
        vectors.text("identity_private_key"), vectors.bytes("instance_ephemeral_private_hex"), vectors.bytes("instance_ephemeral_public_hex"),
    )

    private fun messages(name: String) = vectors.getValue(name).jsonArray.map { it.jsonObject }

    /** A phone with a channel, and the instance at its other end. */
    private fun established(): Pair<Channel, DeployedChannel> = Handshake.start().use { handshake ->
        val deployed = instance.channel(handshake.message())
        handshake.finish(instance.answer(), key) to deployed
    }

    @Test
    fun `the instance of the tests is the deployed one`() {
        val hello = vectors.bytes("app_key_exchange_payload_hex")
        assertArrayEquals(vectors.bytes("shared_secret_hex"), instance.sharedSecret(hello))
        assertArrayEquals(vectors.bytes("instance_key_exchange_payload_hex"), instance.answer())
        assertArrayEquals(vectors.bytes("app_to_instance_key_hex"), instance.channel(hello).appToInstance)
        assertArrayEquals(vectors.bytes("instance_to_app_key_hex"), instance.channel(hello).instanceToApp)

        val sending = instance.channel(hello)
        for (message in messages("instance_to_app")) {
            assertArrayEquals(message.bytes("sealed_hex"), sending.seal(message.bytes("plaintext_hex")))
        }
        val receiving = instance.channel(hello)
        val sent = messages("app_to_instance")
        for (arrival in messages("arrivals")) {
            val message = sent[arrival.getValue("message").jsonPrimitive.int]
            val opened = receiving.open(message.bytes("sealed_hex"))
            assertArrayEquals(if (arrival.getValue("accepted").jsonPrimitive.boolean) message.bytes("plaintext_hex") else null, opened)
        }
    }

    @Test
    fun `the phone's messages open at the deployed instance`() {
        val (phone, deployed) = established()
        phone.use {
            for ((counter, message) in messages("app_to_instance").withIndex()) {
                val sealed = phone.seal(message.bytes("plaintext_hex"))
                // All that a key does not decide: counter, zeros, length.
                val expected = message.bytes("sealed_hex")
                assertArrayEquals(expected.copyOf(12), sealed.copyOf(12), "message $counter")
                assertEquals(expected.size, sealed.size)
                assertArrayEquals(message.bytes("plaintext_hex"), deployed.open(sealed))
            }
        }
    }

    @Test
    fun `the deployed instance's messages open at the phone, in the deployed order of arrivals`() {
        val (phone, deployed) = established()
        phone.use {
            val plaintexts = messages("app_to_instance").map { it.bytes("plaintext_hex") }
            val sealed = plaintexts.map(deployed::seal)
            for (arrival in messages("arrivals")) {
                val index = arrival.getValue("message").jsonPrimitive.int
                if (arrival.getValue("accepted").jsonPrimitive.boolean) {
                    assertArrayEquals(plaintexts[index], phone.open(sealed[index]))
                } else {
                    assertRefused(PulseCode.MESSAGE_REPLAYED) { phone.open(sealed[index]) }
                }
            }
        }
    }

    @Test
    fun `a forged message changes nothing`() {
        val (phone, deployed) = established()
        phone.use {
            val sealed = deployed.seal("status".encodeToByteArray())
            for (at in listOf(12, sealed.size - 1)) {
                val forged = sealed.clone().also { it[at] = (it[at].toInt() xor 1).toByte() }
                assertRefused(PulseCode.MESSAGE_FORGED) { phone.open(forged) }
            }
            assertRefused(PulseCode.MESSAGE_MALFORMED) { phone.open(sealed.copyOf(27)) }
            assertRefused(PulseCode.MESSAGE_MALFORMED) { phone.open(sealed.clone().also { it[11] = 1 }) }
            assertRefused(PulseCode.MESSAGE_MALFORMED) { phone.open(ByteArray(0)) }
            assertEquals("status", phone.open(sealed).decodeToString())
        }
    }

    @Test
    fun `the deployed instance's answer is verified`() {
        val answer = vectors.bytes("instance_key_exchange_payload_hex")
        Handshake.start().use { it.finish(answer, key).close() }
        fun refused(code: PulseCode, message: ByteArray, key: String) =
            Handshake.start().use { assertRefused(code) { it.finish(message, key).close() } }
        for (at in listOf(1, 33, 96)) {
            val changed = answer.clone().also { it[at] = (it[at].toInt() xor 1).toByte() }
            refused(PulseCode.KEY_EXCHANGE_SIGNATURE, changed, key)
        }
        refused(PulseCode.KEY_EXCHANGE_MALFORMED, answer.copyOf(33), key)
        refused(PulseCode.KEY_EXCHANGE_MALFORMED, ByteArray(0), key)
        refused(PulseCode.KEY_ENCODING, answer, "")
        val stranger = java.security.KeyPairGenerator.getInstance("Ed25519").generateKeyPair().public.encoded.takeLast(32).toByteArray()
        refused(PulseCode.KEY_EXCHANGE_SIGNATURE, answer, java.util.Base64.getEncoder().encodeToString(stranger))
    }

    @Test
    fun `a handshake is finished once`() = Handshake.start().use { handshake ->
        handshake.finish(instance.answer(), key).close()
        val again = org.junit.jupiter.api.assertThrows<PulseException> { handshake.finish(instance.answer(), key) }
        assertEquals(PulseCode.INVALID_ARGUMENT, again.code)
    }
}
