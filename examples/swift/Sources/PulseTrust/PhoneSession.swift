// NOT RUN HERE: there was no Swift toolchain.

import Dispatch
import Foundation
import PulseTrust

/// What a phone says beyond its pairing code.
public struct PhoneSettings: Encodable, Sendable {
    /// **Secret**: where notifications are sent; empty is nowhere.
    public var deviceToken = ""
    /// `ios` or `android`; empty means none.
    public var platform = ""
    /// Which notifications are wanted; nil leaves it to the relay.
    public var notificationPreferences: NotificationPreferences?
    /// How long a request waits for its answer, in milliseconds; nil is as deployed.
    public var answerMilliseconds: UInt64?
    /// Spreads waiting times.
    let seed = UInt32.random(in: .min ... .max)

    public init() {}

    private enum CodingKeys: String, CodingKey {
        case platform, seed
        case deviceToken = "device_token"
        case notificationPreferences = "notification_preferences"
        case answerMilliseconds = "answer_ms"
    }
}

/// Which notifications a phone wants.
public struct NotificationPreferences: Encodable, Sendable {
    public var critical: Bool
    public var warning: Bool
    public var approval: Bool
    public var fixResult: Bool

    public init(critical: Bool, warning: Bool, approval: Bool, fixResult: Bool) {
        self.critical = critical
        self.warning = warning
        self.approval = approval
        self.fixResult = fixResult
    }

    private enum CodingKeys: String, CodingKey {
        case critical = "critical_enabled"
        case warning = "warning_enabled"
        case approval = "approval_enabled"
        case fixResult = "fix_result_enabled"
    }
}

/// A phone's end of a conversation. It decides who opens, verifies, counts, closes and comes back; here it gets sockets and a
/// clock. Every event goes to one handler, in order, on the session's own queue.
public final class PhoneSession: @unchecked Sendable {
    private let handle: Handle
    private let sockets: PhoneSockets
    private let handler: @Sendable (PhoneEvent) -> Void
    private let queue = DispatchQueue(label: "pulse-phone")

    // These are of the queue alone.
    private var socket: PhoneSocket?
    private var timer: DispatchWorkItem?
    private var isClosed = false

    /// A phone's end, for the instance of a scanned code; `start` begins it. A code without an identity is refused as
    /// `.pairingNoIdentity`. The scanned bytes stay the caller's, to be wiped.
    public init(
        scanned: [UInt8], settings: PhoneSettings = PhoneSettings(),
        sockets: @escaping PhoneSockets = { URLSessionSocket($0, $1) },
        handler: @escaping @Sendable (PhoneEvent) -> Void
    ) throws {
        var json = Array(try JSONEncoder().encode(settings))
        defer { wipe(&json) }
        handle = Handle(try Library.sessionNewPhone(scanned: scanned, settings: json)) { pulse_session_free($0) }
        self.sockets = sockets
        self.handler = handler
    }

    /// Begins to connect, also where the session has stopped by itself.
    public func start() { report(Int32(PULSE_FEED_START)) }

    /// Closes the connection; every request that waits fails.
    public func stop() { report(Int32(PULSE_FEED_STOP)) }

    /// Asks the instance something, after the event `ready`. Events name it by the number that is returned. What is refused
    /// (`.sessionNotOpen`, `.requestLimit`, `.sendQueueFull`, `.bodyTooLarge`, `.frameTooLarge`) was not sent.
    public func request(_ method: String, _ path: String, headers: [String: String] = [:], body: Data = Data()) throws -> UInt64 {
        struct Made: Decodable { let request: UInt64 }
        let act = Act(act: "request", method: method, path: path, headers: headers, body: body)
        return try JSONDecoder().decode(Made.self, from: Data(try self.act(act))).request
    }

    /// Gives a request up: it fails as `canceled`, and what still arrives for it is dropped.
    public func cancel(_ request: UInt64) throws { _ = try act(Act(act: "cancel", request: request)) }

    /// Tells the other side, closes the connection and wipes the session. The handler is not called any more.
    public func close() {
        onQueue { [self] in
            try feed(Int32(PULSE_FEED_STOP), 0, [])
            try obey { _ in }
            timer?.cancel()
            isClosed = true
            handle.close()
        }
    }

    /// The clock of the moments in events, which never goes back.
    public static var milliseconds: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }

    private struct Act: Encodable {
        var act: String
        var method: String?
        var path: String?
        var headers: [String: String]?
        var body: Data?
        var request: UInt64?
    }

    private func act(_ act: Act) throws -> [UInt8] {
        let json = Array(try JSONEncoder().encode(act))
        let result = try handle.use { session in
            try Library.sessionAct(session: session, act: json, monotonicMs: Self.milliseconds, now: unixSeconds()).bytes
        }
        onQueue { [self] in try obey(handler) }
        return result
    }

    private func report(_ what: Int32, _ connection: UInt32 = 0, _ data: [UInt8] = []) {
        onQueue { [self] in
            try feed(what, connection, data)
            try obey(handler)
        }
    }

    /// What a socket reports after `close` is of no use any more. What the library refuses here is a bug of this file.
    private func onQueue(_ job: @escaping () throws -> Void) {
        queue.async { [self] in
            if isClosed { return }
            do { try job() } catch { assertionFailure("\(error)") }
        }
    }

    private func feed(_ what: Int32, _ connection: UInt32, _ data: [UInt8]) throws {
        try handle.use { session in
            try Library.sessionFeed(
                session: session, feed: what, connection: connection, data: data, monotonicMs: Self.milliseconds, now: unixSeconds())
        }
    }

    /// Does what the session wants until it wants nothing more, and sets the timer.
    private func obey(_ handler: (PhoneEvent) -> Void) throws {
        polling: while true {
            let (what, connection, buffer) = try handle.use { try Library.sessionPoll(session: $0) }
            switch Int32(what) {
            case Int32(PULSE_DO_CONNECT): connect(connection, buffer.text)
            case Int32(PULSE_DO_SEND): socket?.send(buffer.bytes)
            case Int32(PULSE_DO_DISCONNECT):
                socket?.close(code: Int(buffer.text) ?? 1000)
                socket = nil
            case Int32(PULSE_DO_EVENT): handler(try PhoneEvent(json: buffer.bytes))
            default: break polling
            }
        }
        timer?.cancel()
        let deadline = try handle.use { pulse_session_deadline($0) }
        if deadline < 0 { return }
        let due = DispatchWorkItem { [weak self] in self?.report(Int32(PULSE_FEED_TIMEOUT)) }
        timer = due
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(max(0, deadline - Self.milliseconds))), execute: due)
    }

    private func connect(_ connection: UInt32, _ url: String) {
        socket = sockets(url) { [weak self] event in
            switch event {
            case .opened: self?.report(Int32(PULSE_FEED_CONNECTED), connection)
            case .received(let message): self?.report(Int32(PULSE_FEED_MESSAGE), connection, message)
            case .ended: self?.report(Int32(PULSE_FEED_DISCONNECTED), connection)
            }
        }
    }
}

private func unixSeconds() -> Int64 { Int64(Date().timeIntervalSince1970) }
