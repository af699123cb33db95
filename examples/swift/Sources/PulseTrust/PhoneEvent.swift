// NOT RUN HERE: there was no Swift toolchain.

import Foundation

/// What a session tells its program. Moments (`retryAt`) are on the clock of `PhoneSession.milliseconds`; nil is none until
/// `PhoneSession.start`.
public enum PhoneEvent: Sendable {
    /// The instance has proved its identity, and nobody else reads what is sent: requests may be made.
    case ready
    /// An answer, or a piece of one: with `isLast` the request is over.
    case response(request: UInt64, PhoneResponse, isLast: Bool)
    /// A request is over without a whole answer: `timed_out`, `disconnected` or `canceled`.
    case requestFailed(request: UInt64, reason: String)
    /// The relay, or the instance by way of it, has refused the connection. `code` is the relay's, as `AUTH_FAILED`; `advice`
    /// says what it means for the user: `wait`, `check_instance`, `pair_again` or `check_subscription`.
    case refused(code: String, message: String, advice: String, retryAt: Int64?)
    /// Whoever answered is not the paired instance. Nothing was sent to it, and the session has stopped: warn the user.
    case identityRefused(code: PulseCode, message: String)
    /// The relay is going down; answers that are under way may still arrive.
    case draining(reason: String)
    /// The channel is over. Every request that waited has failed before.
    case disconnected(reason: String, message: String, retryAt: Int64?)
    /// What a newer library tells.
    case unknown(String)

    /// Reads the JSON of the C function `pulse_session_poll`.
    init(json: [UInt8]) throws {
        let members = try JSONDecoder().decode(Members.self, from: Data(json))
        switch members.event {
        case "ready": self = .ready
        case "response":
            guard let request = members.request, let response = members.response else { throw malformed }
            self = .response(request: request, response, isLast: members.isLast ?? false)
        case "request_failed":
            guard let request = members.request else { throw malformed }
            self = .requestFailed(request: request, reason: members.reason ?? "")
        case "refused":
            guard let error = members.error, case .name(let code) = error.code else { throw malformed }
            self = .refused(code: code, message: error.message, advice: members.advice ?? "", retryAt: members.retryAt)
        case "identity_refused":
            guard let error = members.error, case .number(let code) = error.code else { throw malformed }
            self = .identityRefused(code: PulseCode(rawValue: code), message: error.message)
        case "draining": self = .draining(reason: members.reason ?? "")
        case "disconnected":
            self = .disconnected(reason: members.reason ?? "", message: members.message ?? "", retryAt: members.retryAt)
        default: self = .unknown(members.event)
        }
    }

    private struct Members: Decodable {
        let event: String
        let request: UInt64?
        let response: PhoneResponse?
        let isLast: Bool?
        let reason: String?
        let message: String?
        let advice: String?
        let error: Refusal?
        let retryAt: Int64?

        private enum CodingKeys: String, CodingKey {
            case event, request, response, reason, message, advice, error
            case isLast = "is_last"
            case retryAt = "retry_at"
        }
    }

    private struct Refusal: Decodable {
        let code: Code
        let message: String
    }

    /// The relay names its codes; the library numbers its own.
    private enum Code: Decodable {
        case name(String)
        case number(Int32)

        init(from decoder: Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let number = try? value.decode(Int32.self) {
                self = .number(number)
            } else {
                self = .name(try value.decode(String.self))
            }
        }
    }
}

private let malformed = PulseError(.panic, "the library wrote an event without what it has to have")

/// An answer of the instance's HTTP API, or a piece of one.
public struct PhoneResponse: Decodable, Sendable, CustomStringConvertible {
    public let status: Int
    public let headers: [String: String]
    public let body: Data

    private enum CodingKeys: String, CodingKey {
        case status, headers, body
    }

    public init(from decoder: Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        status = try members.decode(Int.self, forKey: .status)
        headers = try members.decodeIfPresent([String: String].self, forKey: .headers) ?? [:]
        // JSONDecoder reads base64.
        body = try members.decodeIfPresent(Data.self, forKey: .body) ?? Data()
    }

    /// Without headers and body, which may hold secrets.
    public var description: String { "PhoneResponse(status \(status), \(body.count) bytes)" }
}
