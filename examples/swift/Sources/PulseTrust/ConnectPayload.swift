// NOT RUN HERE: there was no Swift toolchain.

/// The payload of the CONNECT frame, which a phone says first. It holds the auth token, a **secret**: send it at once.
public func secretConnectPayload(for code: PairingCode, platform: String) throws -> [UInt8] {
    try code.withAuthToken { token in
        var json: [UInt8] = []
        // Room for all of it, should every byte be escaped to six: an array that grows leaves its old place unwiped.
        json.reserveCapacity(128 + 6 * (token.count + code.instanceId.utf8.count + platform.utf8.count))
        json += "{\"instance_id\":".utf8
        append(string: code.instanceId.utf8, to: &json)
        json += ",\"auth_token\":".utf8
        append(string: token, to: &json)
        json += ",\"platform\":".utf8
        append(string: platform.utf8, to: &json)
        json += "}".utf8
        return json
    }
}

private func append<Bytes: Sequence>(string: Bytes, to json: inout [UInt8]) where Bytes.Element == UInt8 {
    let digits = Array("0123456789abcdef".utf8)
    json.append(UInt8(ascii: "\""))
    for byte in string {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            json.append(UInt8(ascii: "\\"))
            json.append(byte)
        case 0..<0x20:
            json += "\\u00".utf8
            json.append(digits[Int(byte >> 4)])
            json.append(digits[Int(byte & 15)])
        default:
            json.append(byte)
        }
    }
    json.append(UInt8(ascii: "\""))
}
