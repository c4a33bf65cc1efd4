/// A JSON document as a tree, read in the plainest way.
indirect enum PlainJSON {
    case null
    case boolean(Bool)
    /// The digits as they stand.
    case number([UInt8])
    /// `NaN`, `Infinity` or `-Infinity`.
    case notFinite
    /// The characters, and the text as it stands with its quotes.
    case string([UInt8], raw: [UInt8])
    case array([PlainJSON])
    case object([(key: [UInt8], value: PlainJSON)])

    /// Whether a number that is not finite stands anywhere in the value.
    var holdsNotFinite: Bool {
        switch self {
        case .notFinite: true
        case .array(let members): members.contains { $0.holdsNotFinite }
        case .object(let members): members.contains { $0.value.holdsNotFinite }
        default: false
        }
    }
}

/// A recursive-descent parser of RFC 8259, for documents that are valid UTF-8 and not too deep.
struct PlainJSONParser {
    struct Malformed: Error {}

    private let bytes: [UInt8]
    private var position = 0

    /// Reads a whole text; throws ``Malformed`` for anything but one value and white space.
    static func parse(_ bytes: [UInt8]) throws -> PlainJSON {
        var parser = PlainJSONParser(bytes: bytes)
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw Malformed() }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func takes(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func expect(_ text: String) throws {
        guard takes(text) else { throw Malformed() }
    }

    private mutating func value() throws -> PlainJSON {
        if takes("null") { return .null }
        if takes("true") { return .boolean(true) }
        if takes("false") { return .boolean(false) }
        if takes("NaN") || takes("Infinity") || takes("-Infinity") { return .notFinite }
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""):
            let start = position
            let characters = try string()
            return .string(characters, raw: Array(bytes[start..<position]))
        default: return .number(try number())
        }
    }

    private mutating func object() throws -> PlainJSON {
        try expect("{")
        skipSpace()
        if takes("}") { return .object([]) }
        var members: [(key: [UInt8], value: PlainJSON)] = []
        while true {
            let key = try string()
            skipSpace()
            try expect(":")
            skipSpace()
            members.append((key, try value()))
            skipSpace()
            if takes("}") { return .object(members) }
            try expect(",")
            skipSpace()
        }
    }

    private mutating func array() throws -> PlainJSON {
        try expect("[")
        skipSpace()
        if takes("]") { return .array([]) }
        var members: [PlainJSON] = []
        while true {
            members.append(try value())
            skipSpace()
            if takes("]") { return .array(members) }
            try expect(",")
            skipSpace()
        }
    }

    private mutating func string() throws -> [UInt8] {
        try expect("\"")
        var result: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return result
            case UInt8(ascii: "\\"): result += Array(String(Character(try escape())).utf8)
            case 0..<0x20: throw Malformed()
            default: result.append(byte)
            }
        }
        throw Malformed()
    }

    private mutating func escape() throws -> Unicode.Scalar {
        let simple: [(String, Unicode.Scalar)] = [
            ("\"", "\""), ("\\", "\\"), ("/", "/"), ("b", "\u{8}"), ("f", "\u{C}"), ("n", "\n"),
            ("r", "\r"), ("t", "\t"),
        ]
        for (letter, scalar) in simple where takes(letter) { return scalar }
        let first = try unit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, takes("\\") else { throw Malformed() }
        let second = try unit()
        guard second >= 0xDC00, second <= 0xDFFF,
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw Malformed() }
        return scalar
    }

    private mutating func unit() throws -> UInt32 {
        try expect("u")
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4,
            digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw Malformed() }
        position += 4
        return value
    }

    private mutating func number() throws -> [UInt8] {
        let start = position
        _ = takes("-")
        if !takes("0") { try digits() }
        if takes(".") { try digits() }
        if takes("e") || takes("E") {
            if !takes("+") { _ = takes("-") }
            try digits()
        }
        return Array(bytes[start..<position])
    }

    private mutating func digits() throws {
        guard let byte = next, (0x30...0x39).contains(byte) else { throw Malformed() }
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    }
}
