// NOT RUN HERE: there was no Swift toolchain.

import PulseTrust

/// The app's side of a key exchange, between its message and the instance's.
public final class Handshake: Sendable {
    private let handle: Handle

    /// Makes an ephemeral key.
    public init() throws {
        handle = Handle(try Library.handshakeStart()) { pulse_handshake_free($0) }
    }

    /// The payload of the app's KEY_EXCHANGE frame.
    public func message() throws -> [UInt8] {
        try handle.use { try Library.handshakeMessage(handshake: $0).bytes }
    }

    /// Takes the payload of the instance's KEY_EXCHANGE frame. There is a channel only if the identity of the pairing code
    /// (`PairingCode.requireIdentity`) signed it; anybody else is refused as `.keyExchangeSignature`. A handshake can be
    /// finished once, whatever comes of it.
    public func finish(_ instanceMessage: [UInt8], identityPublicKey: String) throws -> Channel {
        let channel = try handle.use { handshake in
            try Library.handshakeFinish(
                handshake: handshake, instanceMessage: instanceMessage, identityPublicKey: Array(identityPublicKey.utf8))
        }
        return Channel(Handle(channel) { pulse_channel_free($0) })
    }

    /// Wipes the handshake.
    public func close() { handle.close() }
}

/// The app's side of an established channel. Messages must be sent in the order in which they were sealed, or the instance
/// refuses the earlier one as a replay.
public final class Channel: Sendable {
    private let handle: Handle

    init(_ handle: Handle) { self.handle = handle }

    /// Seals a message: the payload of a DATA frame.
    public func seal(_ plaintext: [UInt8]) throws -> [UInt8] {
        try handle.use { try Library.channelSeal(channel: $0, plaintext: plaintext).bytes }
    }

    /// Opens the payload of a DATA frame. A message that is refused changes nothing.
    public func open(_ sealed: [UInt8]) throws -> [UInt8] {
        try handle.use { try Library.channelOpen(channel: $0, sealed: sealed).bytes }
    }

    /// Wipes the channel's keys.
    public func close() { handle.close() }
}
