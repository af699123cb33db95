package io.pulserelay.trust

import java.math.BigInteger
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.KeyFactory
import java.security.PrivateKey
import java.security.Signature
import java.security.spec.EdECPrivateKeySpec
import java.security.spec.NamedParameterSpec
import java.security.spec.XECPrivateKeySpec
import java.security.spec.XECPublicKeySpec
import java.util.Base64
import javax.crypto.Cipher
import javax.crypto.KeyAgreement
import javax.crypto.Mac
import javax.crypto.spec.GCMParameterSpec
import javax.crypto.spec.SecretKeySpec

/**
 * The instance's half of formats.md#channel-encryption, by the JDK alone, with the keys of channel.json. It shares no
 * code with the library, so what both agree on is the format, and not a mistake that both would make.
 */
internal class DeployedInstance(identityPrivateKey: String, private val ephemeralPrivate: ByteArray, private val ephemeralPublic: ByteArray) {
    private val identity: PrivateKey = KeyFactory.getInstance("Ed25519").generatePrivate(
        EdECPrivateKeySpec(NamedParameterSpec.ED25519, Base64.getDecoder().decode(identityPrivateKey).copyOf(32)),
    )

    /** The payload of its KEY_EXCHANGE frame. */
    fun answer(): ByteArray {
        val signature = Signature.getInstance("Ed25519").apply { initSign(identity); update(ephemeralPublic) }.sign()
        return byteArrayOf(32) + ephemeralPublic + signature
    }

    fun sharedSecret(appMessage: ByteArray): ByteArray {
        check(appMessage.size == 33 && appMessage[0] == 32.toByte())
        val keys = KeyFactory.getInstance("X25519")
        val private = keys.generatePrivate(XECPrivateKeySpec(NamedParameterSpec.X25519, ephemeralPrivate))
        val public = BigInteger(1, appMessage.copyOfRange(1, 33).reversedArray())
        return KeyAgreement.getInstance("X25519").run {
            init(private)
            doPhase(keys.generatePublic(XECPublicKeySpec(NamedParameterSpec.X25519, public)), true)
            generateSecret()
        }
    }

    fun channel(appMessage: ByteArray): DeployedChannel {
        val secret = sharedSecret(appMessage)
        return DeployedChannel(hkdf(secret, "relay-e2e-app-to-instance"), hkdf(secret, "relay-e2e-instance-to-app"))
    }

    private fun hkdf(secret: ByteArray, info: String): ByteArray {
        fun hmac(key: ByteArray, data: ByteArray) =
            Mac.getInstance("HmacSHA256").run { init(SecretKeySpec(key, "HmacSHA256")); doFinal(data) }
        return hmac(hmac("pulse-relay-e2e-channel-v1".encodeToByteArray(), secret), info.encodeToByteArray() + 1)
    }
}

/** The instance's side of a channel. */
internal class DeployedChannel(val appToInstance: ByteArray, val instanceToApp: ByteArray) {
    private var nextSent = 0L
    private var nextReceived = 0L

    fun seal(plaintext: ByteArray): ByteArray {
        val nonce = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putLong(nextSent++).array()
        return nonce + cipher(Cipher.ENCRYPT_MODE, instanceToApp, nonce).doFinal(plaintext)
    }

    /** Null for a replay. */
    fun open(sealed: ByteArray): ByteArray? {
        val counter = ByteBuffer.wrap(sealed).order(ByteOrder.LITTLE_ENDIAN).getLong()
        if (counter < nextReceived) return null
        val plaintext = cipher(Cipher.DECRYPT_MODE, appToInstance, sealed.copyOf(12)).doFinal(sealed, 12, sealed.size - 12)
        nextReceived = counter + 1
        return plaintext
    }

    private fun cipher(mode: Int, key: ByteArray, nonce: ByteArray): Cipher =
        Cipher.getInstance("AES/GCM/NoPadding").apply { init(mode, SecretKeySpec(key, "AES"), GCMParameterSpec(128, nonce)) }
}
