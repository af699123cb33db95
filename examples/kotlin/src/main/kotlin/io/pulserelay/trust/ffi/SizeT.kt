package io.pulserelay.trust.ffi

import com.sun.jna.IntegerType
import com.sun.jna.Native
import com.sun.jna.ptr.ByReference

/** `size_t`: as wide as a pointer, without a sign. JNA needs the constructor without arguments. */
internal class SizeT(value: Long = 0) : IntegerType(Native.SIZE_T_SIZE, value, true) {
    // What Kotlin asks of a Number that Java's has by itself.
    override fun toByte(): Byte = toInt().toByte()
    override fun toShort(): Short = toInt().toShort()
}

/** `size_t *`. */
internal class SizeTByReference : ByReference(Native.SIZE_T_SIZE) {
    val value: Long
        get() = if (Native.SIZE_T_SIZE == 8) pointer.getLong(0) else pointer.getInt(0).toLong() and 0xffff_ffffL
}
