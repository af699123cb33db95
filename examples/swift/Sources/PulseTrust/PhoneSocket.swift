// NOT RUN HERE: there was no Swift toolchain.

import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A WebSocket connection that was asked for: each binary message carries one frame. Calls on it do not overlap, and do not
/// fail: what goes wrong ends the connection.
public protocol PhoneSocket: AnyObject {
    /// Sends a binary message, after those before it. It may return before the message is out.
    func send(_ message: [UInt8])
    /// Closes the connection with a status code, or gives the attempt up. It is the last call.
    func close(code: Int)
}

/// What happens on a connection. It may be called from any thread, and late: what is of no use is ignored.
public enum PhoneSocketEvent: Sendable {
    /// The connection is open.
    case opened
    /// A binary message has arrived.
    case received([UInt8])
    /// The connection is over, or could not be made, or sent something other than a binary message.
    case ended
}

/// Begins to connect, without following redirects, and returns at once.
public typealias PhoneSockets = (_ url: String, _ tell: @escaping @Sendable (PhoneSocketEvent) -> Void) -> PhoneSocket

/// The longest message of a connection, in bytes.
public let maxMessageSize = 65_536 + 6

/// A WebSocket of Foundation's URLSession.
public final class URLSessionSocket: NSObject, PhoneSocket, URLSessionWebSocketDelegate, @unchecked Sendable {
    private let tell: @Sendable (PhoneSocketEvent) -> Void
    private var task: URLSessionWebSocketTask?

    public init(_ url: String, _ tell: @escaping @Sendable (PhoneSocketEvent) -> Void) {
        self.tell = tell
        super.init()
        guard let url = URL(string: url) else {
            tell(.ended)
            return
        }
        let session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: nil)
        let task = session.webSocketTask(with: url)
        task.maximumMessageSize = maxMessageSize
        self.task = task
        task.resume()
        // It keeps its delegate, which is this, until its task is over.
        session.finishTasksAndInvalidate()
    }

    public func send(_ message: [UInt8]) {
        task?.send(.data(Data(message))) { [tell] error in
            if error != nil { tell(.ended) }
        }
    }

    public func close(code: Int) {
        task?.cancel(with: URLSessionWebSocketTask.CloseCode(rawValue: code) ?? .normalClosure, reason: nil)
    }

    public func urlSession(
        _ session: URLSession, webSocketTask: URLSessionWebSocketTask, didOpenWithProtocol protocolName: String?
    ) {
        tell(.opened)
        receive(from: webSocketTask)
    }

    public func urlSession(
        _ session: URLSession, webSocketTask: URLSessionWebSocketTask, didCloseWith closeCode: URLSessionWebSocketTask.CloseCode,
        reason: Data?
    ) {
        tell(.ended)
    }

    public func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: Error?) {
        tell(.ended)
    }

    public func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    private func receive(from task: URLSessionWebSocketTask) {
        task.receive { [self] result in
            guard case .success(.data(let message)) = result else {
                task.cancel(with: .unsupportedData, reason: nil)
                tell(.ended)
                return
            }
            tell(.received(Array(message)))
            receive(from: task)
        }
    }
}
