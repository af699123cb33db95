// NOT RUN HERE: there was no Swift toolchain.

import PulseTrust

/// One message between an instance, the relay and a phone: one binary WebSocket message.
public struct Frame: Sendable, CustomStringConvertible {
    public let type: FrameType
    /// 0 where the frame is about no channel.
    public let channel: UInt32
    /// At most 65,536 bytes. That of CONNECT holds the auth token.
    public let payload: [UInt8]

    public init(_ type: FrameType, channel: UInt32, payload: [UInt8]) {
        self.type = type
        self.channel = channel
        self.payload = payload
    }

    /// Reads a frame.
    public init(decoding bytes: [UInt8]) throws {
        let (number, channel, offset) = try Library.frameDecode(frame: bytes)
        guard let type = FrameType(rawValue: number) else { throw PulseError(.frameType, "a frame of type \(number)") }
        self.init(type, channel: channel, payload: Array(bytes[offset...]))
    }

    /// The frame's bytes.
    public func encoded() throws -> [UInt8] {
        try Library.frameEncode(frameType: type.rawValue, channel: channel, payload: payload).bytes
    }

    public var description: String { "Frame(\(type), channel \(channel), \(payload.count) bytes)" }
}
