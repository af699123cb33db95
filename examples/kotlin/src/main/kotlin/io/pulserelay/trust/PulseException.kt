package io.pulserelay.trust

/** Why the library refused something. It holds no secret. */
public class PulseException(
    /** The stable number, to decide by. */
    public val code: PulseCode,
    /** What is wrong, in words, to show or log. */
    public val reason: String,
    /** What a relay's ERROR frame says of it, such as `LICENSE_EXPIRED`, where there is one. */
    public val wireCode: String? = null,
    /** What keeps a pairing code from being built, with [PulseCode.PAIRING_NOT_READY]. */
    public val diagnostics: List<Diagnostic> = emptyList(),
) : Exception("$reason (${code.number} ${code.name})")
