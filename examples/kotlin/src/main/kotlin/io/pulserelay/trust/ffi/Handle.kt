package io.pulserelay.trust.ffi

import com.sun.jna.Pointer
import io.pulserelay.trust.PulseCode
import io.pulserelay.trust.PulseException
import java.lang.ref.Cleaner
import java.lang.ref.Reference
import java.util.concurrent.locks.ReentrantReadWriteLock
import kotlin.concurrent.read
import kotlin.concurrent.write

/**
 * Owns something of the library. It is freed once: by [close], or by the [Cleaner] when its owner was forgotten.
 * Calls from many threads are safe, and nothing is freed under one.
 */
internal class Handle(pointer: Pointer, free: (Pointer) -> Unit) : AutoCloseable {
    private val lock = ReentrantReadWriteLock()
    private var pointer: Pointer? = pointer

    // The action holds the pointer and not this, or this would stay reachable for ever.
    private val cleanable: Cleaner.Cleanable = cleaner.register(this) { free(pointer) }

    /** For what the header takes as const: many threads at once. */
    inline fun <T> use(job: (Pointer) -> T): T = lock.read { borrow(job) }

    /** For what changes with the call: one thread at a time. */
    inline fun <T> useAlone(job: (Pointer) -> T): T = lock.write { borrow(job) }

    override fun close(): Unit = lock.write {
        pointer = null
        cleanable.clean()
    }

    private inline fun <T> borrow(job: (Pointer) -> T): T {
        try {
            return job(pointer ?: throw PulseException(PulseCode.INVALID_ARGUMENT, "this value was closed: make another one"))
        } finally {
            Reference.reachabilityFence(this)
        }
    }

    private companion object {
        private val cleaner: Cleaner = Cleaner.create()
    }
}
