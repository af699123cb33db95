// NOT RUN HERE: there was no Swift toolchain.

import Foundation
import PulseTrust

/// Why the library refused something. It holds no secret.
public struct PulseError: Error, CustomStringConvertible, LocalizedError {
    /// The stable number, to decide by.
    public let code: PulseCode
    /// What is wrong, in words, to show or log.
    public let reason: String
    /// What a relay's ERROR frame says of it, such as `LICENSE_EXPIRED`, where there is one.
    public let wireCode: String?

    public var description: String { "\(reason) (\(code))" }
    public var errorDescription: String? { description }

    init(_ code: PulseCode, _ reason: String) {
        self.code = code
        self.reason = reason
        wireCode = nil
    }

    /// Takes over an error that a call gave.
    init(status: pulse_status, owned error: OpaquePointer?) {
        defer { pulse_error_free(error) }
        code = PulseCode(rawValue: status)
        reason = error.flatMap { pulse_error_message($0) }.map { String(cString: $0) } ?? PulseCode(rawValue: status).name
        wireCode = error.flatMap { pulse_error_wire_code($0) }.map { String(cString: $0) }
    }
}
