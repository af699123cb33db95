// NOT RUN HERE: there was no Swift toolchain.

import PulseTrust

/// What a frame is, by its type byte.
public enum FrameType: UInt8, Sendable {
    case register = 0x01
    case registerAck = 0x02
    case connect = 0x03
    case connectAck = 0x04
    case channelOpen = 0x05
    case channelClose = 0x06
    case data = 0x07
    case ping = 0x08
    case pong = 0x09
    case error = 0x0a
    case drain = 0x0b
    case keyExchange = 0x0c
    case pushNotification = 0x0d
}

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
        var number: UInt8 = 0
        var channel: UInt32 = 0
        var offset = 0
        try bytes.withUnsafeBufferPointer { frame in
            try call { error in pulse_frame_decode(frame.baseAddress, frame.count, &number, &channel, &offset, error) }
        }
        guard let type = FrameType(rawValue: number) else { throw PulseError(.frameType, "a frame of type \(number)") }
        self.init(type, channel: channel, payload: Array(bytes[offset...]))
    }

    /// The frame's bytes.
    public func encoded() throws -> [UInt8] {
        try payload.withUnsafeBufferPointer { bytes in
            try callForBuffer { out, error in
                pulse_frame_encode(type.rawValue, channel, bytes.baseAddress, bytes.count, out, error)
            }.bytes
        }
    }

    public var description: String { "Frame(\(type), channel \(channel), \(payload.count) bytes)" }
}
