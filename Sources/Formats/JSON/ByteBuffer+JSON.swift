import CSimdJSON
package import Core

extension ByteBuffer {
    /// Appends UTF-8 as a JSON text, with quotes; escapes what JSON must have escaped, no more.
    package mutating func appendJSON(text: Span<UInt8>) {
        reserve(text.count + 2)
        append(UInt8(ascii: "\""))
        appendJSON(escaping: text)
        append(UInt8(ascii: "\""))
    }

    /// Appends UTF-8 as the inside of a JSON text.
    mutating func appendJSON(escaping text: Span<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
                append(byte)
            } else {
                appendEscape(byte)
            }
        }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"" as StaticString)
        case UInt8(ascii: "\\"): append("\\\\" as StaticString)
        case 0x08: append("\\b" as StaticString)
        case 0x0C: append("\\f" as StaticString)
        case 0x0A: append("\\n" as StaticString)
        case 0x0D: append("\\r" as StaticString)
        case 0x09: append("\\t" as StaticString)
        default:
            append("\\u00" as StaticString)
            appendHexadecimal(byte)
        }
    }

    /// Appends two lower-case hexadecimal digits.
    mutating func appendHexadecimal(_ byte: UInt8) {
        append(Self.hexadecimalDigit(byte >> 4))
        append(Self.hexadecimalDigit(byte & 15))
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }

    /// Appends decimal digits, with a minus sign if need be.
    package mutating func append<Value: FixedWidthInteger>(decimal value: Value) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(digits: UInt64(value.magnitude))
    }

    private mutating func append(digits value: UInt64) {
        var count = 1
        var bound: UInt64 = 10
        while count < 20 && value >= bound {
            count += 1
            bound = count < 20 ? bound &* 10 : bound
        }
        var rest = value
        // Safety: exactly `count` bytes are written, the last digit last.
        unsafe write(upTo: count) { out in
            for position in stride(from: count - 1, through: 0, by: -1) {
                unsafe out[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return count
        }
    }

    /// Appends the shortest decimal that reads back as `value`.
    ///
    /// - Precondition: `value` is finite: JSON has no other numbers.
    package mutating func append(shortest value: Double) {
        precondition(value.isFinite, "JSON has no number for \(value)")
        // Safety: the shim writes at most 32 bytes.
        unsafe write(upTo: 32) { out in unsafe tw_write_number(value, out) }
    }
}

extension Span where Element == UInt8 {
    /// Whether the bytes are UTF-8.
    var isUTF8: Bool {
        // Safety: the shim reads `count` bytes at the address, which the borrow keeps.
        unsafe withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return true }
            return unsafe tw_is_utf8(base, buffer.count) == 1
        }
    }
}
