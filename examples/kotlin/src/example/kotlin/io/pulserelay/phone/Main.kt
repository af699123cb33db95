package io.pulserelay.phone

import io.pulserelay.trust.PairingCode
import io.pulserelay.trust.PulseException
import java.time.Duration
import kotlin.system.exitProcess

/** More than a pairing code may have, so that the library can say so. */
private const val MAX_SCANNED = 5000

/**
 * Reads a pairing code from standard input (an argument would be seen in the process list), pairs, and fetches a path,
 * /api/status unless the first argument says another. Exits with 1 when it is refused.
 */
fun main(arguments: Array<String>) {
    val path = arguments.firstOrNull() ?: "/api/status"
    val scanned = System.`in`.readNBytes(MAX_SCANNED)
    try {
        PairingCode.parse(scanned).use { code -> println("fingerprint ${code.identityFingerprint}") }
        val response = fetch(scanned, path, Duration.ofSeconds(30))
        println("status ${response.status}")
        println("body ${response.body.decodeToString().trim()}")
    } catch (refusal: PulseException) {
        println("refused ${refusal.code}: ${refusal.reason}")
        exitProcess(1)
    } catch (refusal: Refused) {
        println("refused ${refusal.message}")
        exitProcess(1)
    } finally {
        scanned.fill(0)
    }
    // The JDK's HTTP client keeps a thread for a while.
    exitProcess(0)
}
