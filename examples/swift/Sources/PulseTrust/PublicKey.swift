// NOT RUN HERE: there was no Swift toolchain.

import Foundation
import PulseTrust

/// A public key that was checked, and what it is known by.
public struct PublicKey: Decodable, Hashable, Sendable {
    /// In standard base64.
    public let base64: String
    /// What people compare: 32 upper-case hex pairs joined by `:`.
    public let fingerprint: String
    /// What a log shows: `SHA256:...`.
    public let logFingerprint: String

    private enum CodingKeys: String, CodingKey {
        case base64 = "public_key"
        case fingerprint
        case logFingerprint = "log_fingerprint"
    }

    /// Reads base64; what is not a key is refused as `.keyEncoding` or `.keyWeak`.
    public init(base64 text: String) throws {
        let json = try Library.publicKeyDescribe(keyBase64: Array(text.utf8))
        self = try JSONDecoder().decode(PublicKey.self, from: Data(json.bytes))
    }
}

/// Draws a text as a QR code, an SVG image, which is as secret as the text.
public func qrSVG(_ text: String) throws -> String {
    try Library.qrSvg(code: Array(text.utf8)).text
}
