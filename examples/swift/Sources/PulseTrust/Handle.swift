// NOT RUN HERE: there was no Swift toolchain.

import Foundation

/// Owns something of the library. It is freed once: by `close`, or with its owner. Threads take turns.
final class Handle: @unchecked Sendable {
    private let lock = NSLock()
    private let free: (OpaquePointer?) -> Void
    private var pointer: OpaquePointer?

    init(_ pointer: OpaquePointer, free: @escaping (OpaquePointer?) -> Void) {
        self.pointer = pointer
        self.free = free
    }

    deinit { free(pointer) }

    func use<T>(_ job: (OpaquePointer) throws -> T) throws -> T {
        lock.lock()
        defer { lock.unlock() }
        guard let pointer else { throw PulseError(.invalidArgument, "this value was closed: make another one") }
        return try job(pointer)
    }

    func close() {
        lock.lock()
        defer { lock.unlock() }
        free(pointer)
        pointer = nil
    }
}
