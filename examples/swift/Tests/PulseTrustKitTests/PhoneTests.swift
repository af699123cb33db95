// NOT RUN HERE: there was no Swift toolchain.

import Foundation
import PulseTrustKit
import XCTest

/// The shared vectors, as far as a phone can run them; examples/kotlin runs the same and more.
final class PhoneTests: XCTestCase {
    private func vectors(_ name: String) throws -> [String: Any] {
        let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../..").standardized
        let file = root.appendingPathComponent("tests/vectors/deployed").appendingPathComponent(name)
        return try XCTUnwrap(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    }

    private func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.utf8.count, by: 2).compactMap { at in
            UInt8(hex.dropFirst(at).prefix(2), radix: 16)
        }
    }

    private func assertRefused(_ code: PulseCode, _ job: () throws -> Void) {
        XCTAssertThrowsError(try job()) { XCTAssertEqual(($0 as? PulseError)?.code, code) }
    }

    func testFramesAsDeployed() throws {
        let cases = try XCTUnwrap(vectors("frames.json")["frames"] as? [[String: Any]])
        XCTAssertFalse(cases.isEmpty)
        for frame in cases {
            let raw = bytes(try XCTUnwrap(frame["frame_hex"] as? String))
            let decoded = try Frame(decoding: raw)
            XCTAssertEqual(decoded.channel, (frame["channel"] as? NSNumber)?.uint32Value)
            XCTAssertEqual(try decoded.encoded(), raw)
        }
    }

    func testThePairedInstanceIsVerified() throws {
        let channel = try vectors("channel.json")
        let key = try XCTUnwrap(channel["identity_public_key"] as? String)
        var answer = bytes(try XCTUnwrap(channel["instance_key_exchange_payload_hex"] as? String))
        XCTAssertEqual(try PublicKey(base64: key).fingerprint, channel["identity_fingerprint"] as? String)
        let phone = try Handshake().finish(answer, identityPublicKey: key)
        XCTAssertEqual(try phone.seal([]).count, 28)
        answer[40] ^= 1
        assertRefused(.keyExchangeSignature) { _ = try Handshake().finish(answer, identityPublicKey: key) }
        phone.close()
        assertRefused(.invalidArgument) { _ = try phone.seal([]) }
    }

    func testCodesAreChecked() throws {
        let start = "pulse://connect?auth_token=a%22b&instance_id=relay_2e1b0929e6fd7c52&relay_url="
        let code = try PairingCode(scanned: start + "wss%3A%2F%2Frelay.example.test")
        XCTAssertEqual(try code.withAuthToken { Array($0) }, Array("a\"b".utf8))
        XCTAssertFalse("\(code)".contains("a\"b"))
        assertRefused(.pairingNoIdentity) { _ = try code.requireIdentity() }
        assertRefused(.pairingInsecureUrl) { _ = try PairingCode(scanned: start + "ws%3A%2F%2Frelay.example.test") }
    }

    /// A session says CONNECT as deployed, and believes nobody but the paired instance.
    func testASessionConnects() throws {
        let channel = try vectors("channel.json")
        let key = try XCTUnwrap(channel["identity_public_key"] as? String).addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        let start = "pulse://connect?auth_token=tok_1&instance_id=relay_2e1b0929e6fd7c52&relay_url=wss%3A%2F%2Frelay.example.test"
        let scanned = try "\(start)&identity_public_key=\(XCTUnwrap(key))"
        let relay = PlayedRelay()
        let refused = expectation(description: "another identity is refused")
        let session = try PhoneSession(scanned: Array(scanned.utf8), sockets: relay.open) { event in
            if case .identityRefused(.keyExchangeSignature, _) = event { refused.fulfill() }
        }
        assertRefused(.sessionNotOpen) { _ = try session.request("GET", "/") }
        relay.forged = bytes(try XCTUnwrap(channel["instance_key_exchange_payload_hex"] as? String))
        relay.forged[40] ^= 1
        session.start()
        wait(for: [refused], timeout: 20)
        XCTAssertEqual(relay.sent.map(\.type), [.connect, .keyExchange])
        let expected = #"{"instance_id":"relay_2e1b0929e6fd7c52","auth_token":"tok_1"}"#
        XCTAssertEqual(relay.sent.first.map { String(decoding: $0.payload, as: UTF8.self) }, expected)
        session.close()
    }
}

/// A relay that answers CONNECT, and the key exchange with what it was given. The session's queue alone calls it.
private final class PlayedRelay: PhoneSocket {
    var forged: [UInt8] = []
    var sent: [Frame] = []
    private var tell: (PhoneSocketEvent) -> Void = { _ in }

    func open(_ url: String, _ tell: @escaping @Sendable (PhoneSocketEvent) -> Void) -> PhoneSocket {
        self.tell = tell
        tell(.opened)
        return self
    }

    func send(_ message: [UInt8]) {
        guard let frame = try? Frame(decoding: message) else { return }
        sent.append(frame)
        let ack = Array(#"{"channel_id":7,"instance_id":"relay_2e1b0929e6fd7c52"}"#.utf8)
        let answer = frame.type == .connect ? Frame(.connectAck, channel: 0, payload: ack) : Frame(.keyExchange, channel: 7, payload: forged)
        if let bytes = try? answer.encoded() { tell(.received(bytes)) }
    }

    func close(code: Int) {}
}
