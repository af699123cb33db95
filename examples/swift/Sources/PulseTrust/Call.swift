// NOT RUN HERE: there was no Swift toolchain.

import PulseTrust
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

typealias Out = UnsafeMutablePointer<OpaquePointer?>

/// Makes a call that can fail; `job` hands on where the error goes.
func call(_ job: (_ error: Out) -> pulse_status) throws {
    var error: OpaquePointer?
    let status = withUnsafeMutablePointer(to: &error) { job($0) }
    if status != PULSE_OK { throw PulseError(status: status, owned: error) }
}

/// Makes a call that gives a handle.
func callForHandle(_ job: (_ out: Out, _ error: Out) -> pulse_status) throws -> OpaquePointer {
    var out: OpaquePointer?
    try withUnsafeMutablePointer(to: &out) { out in
        try call { error in job(out, error) }
    }
    guard let out else { throw PulseError(.panic, "a call gave neither a result nor an error") }
    return out
}

/// Makes a call that gives a buffer. It is wiped and freed with the last reference.
func callForBuffer(_ job: (_ out: Out, _ error: Out) -> pulse_status) throws -> Buffer {
    Buffer(owned: try callForHandle(job))
}

/// Makes a call that gives a handle and a buffer.
func callForHandleAndBuffer(_ job: (_ handle: Out, _ buffer: Out, _ error: Out) -> pulse_status) throws -> (OpaquePointer, Buffer) {
    var given: OpaquePointer?
    let handle = try callForHandle { out, error in
        withUnsafeMutablePointer(to: &given) { buffer in job(out, buffer, error) }
    }
    guard let given else { throw PulseError(.panic, "a call gave neither a result nor an error") }
    return (handle, Buffer(owned: given))
}

/// Bytes that the library gave. They stay in its memory.
final class Buffer {
    private let pointer: OpaquePointer

    init(owned pointer: OpaquePointer) { self.pointer = pointer }

    deinit { pulse_buffer_free(pointer) }

    func withBytes<T>(_ job: (UnsafeBufferPointer<UInt8>) throws -> T) rethrows -> T {
        try withExtendedLifetime(self) {
            try job(UnsafeBufferPointer(start: pulse_buffer_data(pointer), count: pulse_buffer_len(pointer)))
        }
    }

    var bytes: [UInt8] { withBytes { Array($0) } }

    /// For what is not secret: a String cannot be wiped.
    var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

/// Lends bytes as the characters that a text parameter takes. No bytes are NULL and 0.
func lend<T>(_ bytes: [UInt8], _ job: (UnsafePointer<CChar>?, Int) throws -> T) rethrows -> T {
    try bytes.withUnsafeBytes { try job($0.bindMemory(to: CChar.self).baseAddress, $0.count) }
}

/// Lends bytes. No bytes are NULL and 0, or a pointer that nobody reads.
func lendBytes<T>(_ bytes: [UInt8], _ job: (UnsafePointer<UInt8>?, Int) throws -> T) rethrows -> T {
    try bytes.withUnsafeBufferPointer { try job($0.baseAddress, $0.count) }
}

/// Overwrites, in a way that the optimizer does not leave out.
func wipe(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { memory in
        guard let start = memory.baseAddress else { return }
        #if canImport(Darwin)
        memset_s(start, memory.count, 0, memory.count)
        #else
        explicit_bzero(start, memory.count)
        #endif
    }
}
