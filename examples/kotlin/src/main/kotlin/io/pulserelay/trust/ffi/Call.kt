package io.pulserelay.trust.ffi

import com.sun.jna.Memory
import com.sun.jna.Pointer
import com.sun.jna.ptr.PointerByReference
import io.pulserelay.trust.Diagnostic
import io.pulserelay.trust.PulseCode
import io.pulserelay.trust.PulseException

/** Makes a call that can fail; [job] hands on where the error goes. */
internal inline fun call(job: (error: PointerByReference) -> Int) {
    val error = PointerByReference()
    val status = job(error)
    if (status != 0) throw takeError(status, error.value)
}

/** Makes a call that gives a buffer, and takes the bytes out of it. The buffer is wiped and freed. */
internal inline fun callForBytes(job: (out: PointerByReference, error: PointerByReference) -> Int): ByteArray {
    val out = PointerByReference()
    call { error -> job(out, error) }
    return takeBytes(out.value)
}

/** Makes a call that gives a text without a secret, or one that the caller asked for as a text. */
internal inline fun callForText(job: (out: PointerByReference, error: PointerByReference) -> Int): String {
    val bytes = callForBytes(job)
    try {
        return bytes.decodeToString(throwOnInvalidSequence = true)
    } finally {
        bytes.fill(0)
    }
}

/** Makes a call that gives a handle. */
internal inline fun callForHandle(job: (out: PointerByReference, error: PointerByReference) -> Int): Pointer {
    val out = PointerByReference()
    call { error -> job(out, error) }
    return out.value
}

/**
 * Lends bytes to the library: copied out of the heap, where the collector moves and copies arrays, and wiped afterwards.
 * No bytes are a NULL pointer and length 0.
 */
internal inline fun <T> lend(bytes: ByteArray, job: (Pointer?, SizeT) -> T): T {
    if (bytes.isEmpty()) return job(null, SizeT(0))
    return Memory(bytes.size.toLong()).use { memory ->
        memory.write(0, bytes, 0, bytes.size)
        try {
            job(memory, SizeT(bytes.size.toLong()))
        } finally {
            memory.clear()
        }
    }
}

/** Lends a text as UTF-8. */
internal inline fun <T> lend(text: String, job: (Pointer?, SizeT) -> T): T {
    val bytes = utf8(text)
    try {
        return lend(bytes, job)
    } finally {
        bytes.fill(0)
    }
}

/** A text of half a surrogate pair has no UTF-8: it is refused here, or it would reach the library as another text. */
internal fun utf8(text: String): ByteArray =
    try {
        text.encodeToByteArray(throwOnInvalidSequence = true)
    } catch (_: CharacterCodingException) {
        throw PulseException(PulseCode.INVALID_ARGUMENT, "a text is not valid UTF-16")
    }

internal fun takeBytes(buffer: Pointer): ByteArray {
    try {
        val length = PulseLibrary.pulse_buffer_len(buffer).toLong()
        check(length <= Int.MAX_VALUE) { "a buffer of $length bytes" }
        return PulseLibrary.pulse_buffer_data(buffer)?.getByteArray(0, length.toInt()) ?: ByteArray(0)
    } finally {
        PulseLibrary.pulse_buffer_free(buffer)
    }
}

internal fun takeError(status: Int, error: Pointer?): PulseException {
    val code = PulseCode(status)
    if (error == null) return PulseException(code, code.name)
    try {
        return PulseException(
            code,
            PulseLibrary.pulse_error_message(error)?.getString(0, "UTF-8") ?: code.name,
            PulseLibrary.pulse_error_wire_code(error)?.getString(0, "UTF-8"),
            PulseLibrary.pulse_error_detail_json(error)?.getString(0, "UTF-8")?.let(Diagnostic::listOf).orEmpty(),
        )
    } finally {
        PulseLibrary.pulse_error_free(error)
    }
}
