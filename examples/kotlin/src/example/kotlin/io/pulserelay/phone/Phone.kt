package io.pulserelay.phone

import io.pulserelay.trust.PhoneEvent
import io.pulserelay.trust.PhoneSession
import io.pulserelay.trust.PhoneSettings
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/** What the relay or the instance refused, in its own words. */
class Refused(message: String) : Exception(message)

/**
 * Asks the instance of a scanned code for a path, once. The first refusal or loss is the outcome here; an app leaves it to
 * the session to come back.
 */
fun fetch(scanned: ByteArray, path: String, timeout: Duration): PhoneEvent.Response {
    val outcome = CompletableFuture<PhoneEvent.Response>()
    lateinit var session: PhoneSession
    session = PhoneSession.of(scanned, JdkSockets(), PhoneSettings(platform = "kotlin-example")) { event ->
        when (event) {
            is PhoneEvent.Ready -> session.request("GET", path)
            is PhoneEvent.Response -> outcome.complete(event)
            is PhoneEvent.IdentityRefused -> outcome.completeExceptionally(Refused("${event.code}: ${event.message}"))
            is PhoneEvent.Refused -> outcome.completeExceptionally(Refused("${event.code}: ${event.message}"))
            is PhoneEvent.RequestFailed -> outcome.completeExceptionally(Refused("no answer: ${event.reason}"))
            is PhoneEvent.Disconnected -> outcome.completeExceptionally(Refused("no answer: ${event.reason}"))
            is PhoneEvent.Draining, is PhoneEvent.Unknown -> {}
        }
    }
    session.use {
        it.start()
        try {
            return outcome.get(timeout.toMillis(), TimeUnit.MILLISECONDS)
        } catch (failure: ExecutionException) {
            throw failure.cause ?: failure
        } catch (_: TimeoutException) {
            throw Refused("no answer within $timeout")
        }
    }
}
