// NOT RUN HERE: there was no Swift toolchain.

import PulseTrust

/// A scanned pairing code that passed every check. It names an instance and the identity that the instance must prove;
/// nobody has signed the code itself. The auth token stays in the library's memory and is wiped there.
public final class PairingCode: Sendable, CustomStringConvertible {
    /// The id under which the relay knows the instance.
    public let instanceId: String
    /// Where the app connects: `wss://`, or `ws://` to a local host.
    public let relayURL: String
    /// The key that the instance must prove, in base64; nil in codes of runtimes without an identity.
    public let identityPublicKey: String?
    /// The fingerprint of that key, for people to compare; computed from the key.
    public let identityFingerprint: String?
    /// Where a browser reaches the instance: `https`.
    public let instanceURL: String?
    /// What the code calls the instance. Anybody's text: show it as a suggestion, decide nothing by it.
    public let name: String?

    private let handle: Handle

    /// Reads and checks a scanned text: a deep link, the compact code, or the JSON form. Each check has its code:
    /// `.pairingTooLarge`, `.pairingMalformed`, `.pairingDuplicate`, `.pairingMissing`, `.pairingSchema`,
    /// `.pairingInsecureUrl`, `.keyEncoding`, `.keyWeak`, `.keyFingerprintMismatch`.
    public convenience init(scanned: String) throws {
        var bytes = Array(scanned.utf8)
        defer { wipe(&bytes) }
        try self.init(scanned: bytes)
    }

    /// As the other, for a scanner that gives bytes, which the caller can wipe.
    public init(scanned: [UInt8]) throws {
        let handle = Handle(try Library.pairingCodeParse(scanned: scanned)) { pulse_pairing_code_free($0) }
        let members = SecretMembers(try PairingCode.secretJSON(handle))
        instanceId = try members.text("instance_id") ?? ""
        relayURL = try members.text("relay_url") ?? ""
        identityPublicKey = try members.text("identity_public_key")
        identityFingerprint = try members.text("identity_fingerprint")
        instanceURL = try members.text("instance_url")
        name = try members.text("name")
        self.handle = handle
    }

    /// The key that the instance must prove, for an app that opens a channel. Without it whoever runs the relay could
    /// pass for the instance.
    public func requireIdentity() throws -> String {
        guard let identityPublicKey else { throw PulseError(.pairingNoIdentity, "the pairing code carries no identity") }
        return identityPublicKey
    }

    /// Lends the auth token, a **secret**, as UTF-8; it is wiped afterwards. Do not copy it into a String.
    public func withAuthToken<T>(_ job: (UnsafeRawBufferPointer) throws -> T) throws -> T {
        var token = try SecretMembers(try PairingCode.secretJSON(handle)).bytes("auth_token") ?? []
        defer { wipe(&token) }
        return try token.withUnsafeBytes(job)
    }

    /// Wipes the code.
    public func close() { handle.close() }

    public var description: String { "PairingCode(\(instanceId), \(relayURL), \(identityFingerprint ?? "no identity"))" }

    private static func secretJSON(_ handle: Handle) throws -> Buffer {
        try handle.use { try Library.pairingCodeSecretJson(code: $0) }
    }
}
