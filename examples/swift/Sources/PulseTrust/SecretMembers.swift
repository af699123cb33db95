// NOT RUN HERE: there was no Swift toolchain.

/// The members of a flat JSON object of texts and nulls that the library wrote. JSONDecoder would make Strings of them,
/// which nobody can wipe; here each is read where it lies, and only when it is asked for.
struct SecretMembers {
    private let json: Buffer

    init(_ json: Buffer) { self.json = json }

    /// A member that is not secret; nil for null.
    func text(_ name: String) throws -> String? {
        try bytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A member as UTF-8, for the caller to wipe; nil for null.
    func bytes(_ name: String) throws -> [UInt8]? {
        try json.withBytes { json in
            var reader = Reader(json: json)
            return try reader.member(Array(name.utf8))
        }
    }

    private struct Reader {
        let json: UnsafeBufferPointer<UInt8>
        var at = 0

        init(json: UnsafeBufferPointer<UInt8>) { self.json = json }

        mutating func member(_ wanted: [UInt8]) throws -> [UInt8]? {
            try expect("{")
            while true {
                let name = try string()
                try expect(":")
                var value: [UInt8]?
                if try peek() == UInt8(ascii: "\"") {
                    value = try string()
                } else {
                    for character in "null".unicodeScalars { try expect(character) }
                }
                if name == wanted { return value }
                if value != nil { wipe(&value!) }
                try expect(",")
            }
        }

        private mutating func string() throws -> [UInt8] {
            try expect("\"")
            var out: [UInt8] = []
            // Room for all of it: an array that grows leaves its old place unwiped.
            out.reserveCapacity(json.count)
            while true {
                let byte = try next()
                if byte == UInt8(ascii: "\"") { return out }
                if byte == UInt8(ascii: "\\") { try escape(&out) } else { out.append(byte) }
            }
        }

        private mutating func escape(_ out: inout [UInt8]) throws {
            let kind = try next()
            switch kind {
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0c)
            case UInt8(ascii: "n"): out.append(0x0a)
            case UInt8(ascii: "r"): out.append(0x0d)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "u"): out.append(contentsOf: try scalar())
            default: out.append(kind)
            }
        }

        private mutating func scalar() throws -> [UInt8] {
            var units = [try unit()]
            if UTF16.isLeadSurrogate(units[0]) {
                try expect("\\")
                try expect("u")
                units.append(try unit())
            }
            return Array(String(decoding: units, as: UTF16.self).utf8)
        }

        private mutating func unit() throws -> UInt16 {
            var unit: UInt16 = 0
            for _ in 0..<4 {
                guard let digit = Character(UnicodeScalar(try next())).hexDigitValue else { throw malformed }
                unit = unit << 4 | UInt16(digit)
            }
            return unit
        }

        private func peek() throws -> UInt8 {
            guard at < json.count else { throw malformed }
            return json[at]
        }

        private mutating func next() throws -> UInt8 {
            let byte = try peek()
            at += 1
            return byte
        }

        private mutating func expect(_ character: UnicodeScalar) throws {
            guard try next() == UInt8(ascii: character) else { throw malformed }
        }

        private var malformed: PulseError { PulseError(.panic, "the library wrote no flat JSON object at byte \(at)") }
    }
}
