package io.pulserelay.trust.ffi

import com.sun.jna.IntegerType
import com.sun.jna.Native
import com.sun.jna.Pointer
import com.sun.jna.ptr.ByReference
import com.sun.jna.ptr.ByteByReference
import com.sun.jna.ptr.IntByReference
import com.sun.jna.ptr.PointerByReference

/**
 * The functions of `include/pulse_trust.h` that a phone needs, under their own names and in the header's order.
 * `HeaderTest` holds each against the header: that it exists, with these parameters and this result.
 */
internal object PulseLibrary {
    init {
        // Looked for in jna.library.path, then where the system loads libraries from; on Android in the app's jniLibs.
        Native.register(PulseLibrary::class.java, "pulse_trust")
    }

    @JvmStatic external fun pulse_buffer_data(buffer: Pointer): Pointer?
    @JvmStatic external fun pulse_buffer_len(buffer: Pointer): SizeT
    @JvmStatic external fun pulse_buffer_free(buffer: Pointer?)

    @JvmStatic external fun pulse_handshake_start(out: PointerByReference, error: PointerByReference): Int
    @JvmStatic external fun pulse_handshake_message(handshake: Pointer, out: PointerByReference, error: PointerByReference): Int
    @JvmStatic external fun pulse_handshake_finish(
        handshake: Pointer, instanceMessage: Pointer?, instanceMessageLen: SizeT,
        identityPublicKey: Pointer?, identityPublicKeyLen: SizeT, out: PointerByReference, error: PointerByReference,
    ): Int
    @JvmStatic external fun pulse_handshake_free(handshake: Pointer?)

    @JvmStatic external fun pulse_channel_seal(
        channel: Pointer, plaintext: Pointer?, plaintextLen: SizeT, out: PointerByReference, error: PointerByReference,
    ): Int
    @JvmStatic external fun pulse_channel_open(
        channel: Pointer, sealed: Pointer?, sealedLen: SizeT, out: PointerByReference, error: PointerByReference,
    ): Int
    @JvmStatic external fun pulse_channel_free(channel: Pointer?)

    @JvmStatic external fun pulse_version(): Pointer
    @JvmStatic external fun pulse_status_name(status: Int): Pointer
    @JvmStatic external fun pulse_error_message(error: Pointer): Pointer?
    @JvmStatic external fun pulse_error_wire_code(error: Pointer): Pointer?
    @JvmStatic external fun pulse_error_detail_json(error: Pointer): Pointer?
    @JvmStatic external fun pulse_error_free(error: Pointer?)

    @JvmStatic external fun pulse_frame_encode(
        frameType: Byte, channel: Int, payload: Pointer?, payloadLen: SizeT,
        out: PointerByReference, error: PointerByReference,
    ): Int
    @JvmStatic external fun pulse_frame_decode(
        frame: Pointer?, frameLen: SizeT, outType: ByteByReference, outChannel: IntByReference,
        outPayloadOffset: SizeTByReference, error: PointerByReference,
    ): Int

    @JvmStatic external fun pulse_public_key_describe(
        keyBase64: Pointer?, keyBase64Len: SizeT, outJson: PointerByReference, error: PointerByReference,
    ): Int

    @JvmStatic external fun pulse_pairing_build(
        configJson: Pointer?, configJsonLen: SizeT, instanceId: Pointer?, instanceIdLen: SizeT,
        authToken: Pointer?, authTokenLen: SizeT, instanceUrl: Pointer?, instanceUrlLen: SizeT,
        outJson: PointerByReference, error: PointerByReference,
    ): Int
    @JvmStatic external fun pulse_pairing_code_parse(
        scanned: Pointer?, scannedLen: SizeT, out: PointerByReference, error: PointerByReference,
    ): Int
    @JvmStatic external fun pulse_pairing_code_secret_json(code: Pointer, outJson: PointerByReference, error: PointerByReference): Int
    @JvmStatic external fun pulse_pairing_code_free(code: Pointer?)
    @JvmStatic external fun pulse_connection_check(
        presentedJson: Pointer?, presentedJsonLen: SizeT, outJson: PointerByReference, error: PointerByReference,
    ): Int
    @JvmStatic external fun pulse_relay_url_for_app(url: Pointer?, urlLen: SizeT, out: PointerByReference, error: PointerByReference): Int
    @JvmStatic external fun pulse_qr_svg(code: Pointer?, codeLen: SizeT, outSvg: PointerByReference, error: PointerByReference): Int
    @JvmStatic external fun pulse_qr_terminal(code: Pointer?, codeLen: SizeT, out: PointerByReference, error: PointerByReference): Int
}

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
