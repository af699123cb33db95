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
        let connect = try secretConnectPayload(for: code, platform: "ios")
        let expected = #"{"instance_id":"relay_2e1b0929e6fd7c52","auth_token":"a\"b","platform":"ios"}"#
        XCTAssertEqual(String(decoding: connect, as: UTF8.self), expected)
    }
}
