package io.pulserelay.trust

import com.sun.jna.Pointer
import io.pulserelay.trust.ffi.Handle
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.io.path.readLines

/** What is owned is freed, once, and never under a call. */
class HandleTest {
    private val vectors = vectors("channel.json")
    private val instance = DeployedInstance(
        vectors.text("identity_private_key"), vectors.bytes("instance_ephemeral_private_hex"), vectors.bytes("instance_ephemeral_public_hex"),
    )

    @Test
    fun `closing frees once`() {
        val freed = AtomicInteger()
        val handle = Handle(Pointer(1)) { freed.incrementAndGet() }
        assertEquals(1, handle.use { Pointer.nativeValue(it).toInt() })
        repeat(2) { handle.close() }
        assertEquals(1, freed.get())
        assertRefused(PulseCode.INVALID_ARGUMENT) { handle.use {} }
        assertRefused(PulseCode.INVALID_ARGUMENT) { handle.useAlone {} }
    }

    @Test
    fun `what was forgotten is freed`() {
        val freed = AtomicInteger()
        repeat(100) { Handle(Pointer(1)) { freed.incrementAndGet() } }
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10)
        while (freed.get() < 100 && System.nanoTime() < end) {
            System.gc()
            Thread.sleep(20)
        }
        assertEquals(100, freed.get())
    }

    @Test
    fun `threads share a channel, and one of them closes it`() {
        val handshake = Handshake.start()
        val deployed = instance.channel(handshake.message())
        val channel = handshake.finish(instance.answer(), vectors.text("identity_public_key"))
        val sealed = ConcurrentLinkedQueue<ByteArray>()
        val refused = ConcurrentLinkedQueue<PulseException>()
        val threads = Executors.newFixedThreadPool(8)
        repeat(8) {
            threads.execute {
                try {
                    while (true) {
                        sealed.add(channel.seal("GET".encodeToByteArray()))
                        if (sealed.size > 2000) channel.close()
                    }
                } catch (closed: PulseException) {
                    refused.add(closed)
                }
            }
        }
        threads.shutdown()
        assertTrue(threads.awaitTermination(60, TimeUnit.SECONDS))
        assertEquals(List(8) { PulseCode.INVALID_ARGUMENT }, refused.map(PulseException::code))
        // No counter twice, none left out, and every message opens.
        val inOrder = sealed.sortedBy { java.nio.ByteBuffer.wrap(it).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong() }
        assertTrue(inOrder.all { deployed.open(it)?.decodeToString() == "GET" })
        assertTrue(inOrder.size > 2000)
        handshake.close()
    }

    @Test
    fun `buffers, errors and lent memory are given back`() {
        val handshake = Handshake.start()
        val channel = handshake.finish(instance.answer(), vectors.text("identity_public_key"))
        val message = ByteArray(60_000)
        fun work(times: Int) = repeat(times) {
            channel.seal(message)
            assertRefused(PulseCode.MESSAGE_FORGED) { channel.open(message) }
            assertRefused(PulseCode.PAIRING_MALFORMED) { PairingCode.parse("x") }
        }
        work(500)
        val before = residentKiB()
        work(10_000)
        // Had the sealed messages stayed, it were 600,000 KiB.
        val grown = residentKiB() - before
        assertTrue(grown < 200_000) { "$grown KiB" }
        channel.close()
        handshake.close()
    }

    private fun residentKiB(): Long =
        Path.of("/proc/self/status").readLines().single { it.startsWith("VmRSS:") }.filter(Char::isDigit).toLong()
}
