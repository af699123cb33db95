package io.pulserelay.trust

import io.pulserelay.trust.ffi.PulseLibrary
import io.pulserelay.trust.ffi.callForText
import io.pulserelay.trust.ffi.lend

/** Pictures of a text, which are as secret as the text: a pairing code holds the auth token. */
public object Qr {
    /** An SVG image. A text that no QR code can hold is refused as [PulseCode.QR_TOO_LARGE]. */
    public fun svg(text: String): String = lend(text) { code, length ->
        callForText { out, error -> PulseLibrary.pulse_qr_svg(code, length, out, error) }
    }

    /** For a terminal with a dark background. */
    public fun terminal(text: String): String = lend(text) { code, length ->
        callForText { out, error -> PulseLibrary.pulse_qr_terminal(code, length, out, error) }
    }
}
