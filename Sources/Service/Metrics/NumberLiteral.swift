/// Numbers as texts, and what of them is a number in JSON.
package enum NumberLiteral {
    /// Whether the bytes are a number of JSON (RFC 8259).
    package static func isJSON(_ bytes: some Collection<UInt8>) -> Bool {
        var rest = bytes[...]
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let integer = rest.prefix { isDigit($0) }
        guard let first = integer.first, integer.count == 1 || first != UInt8(ascii: "0") else {
            return false
        }
        rest = rest.dropFirst(integer.count)
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix { isDigit($0) }
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(1 + fraction.count)
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
                rest.removeFirst()
            }
            let exponent = rest.prefix { isDigit($0) }
            guard !exponent.isEmpty else { return false }
            rest = rest.dropFirst(exponent.count)
        }
        return rest.isEmpty
    }

    /// The number in JSON that a cell stands for, with its digits as they are; `nil` for texts.
    ///
    /// A leading plus is dropped, and the zero before or after a bare point is added. Numbers with
    /// leading zeros are texts, because they are names more often than quantities.
    package static func json(fromCell cell: String) -> String? {
        var text = cell[...]
        if text.first == "+" { text.removeFirst() }
        let sign = text.first == "-" ? "-" : ""
        var digits = String(text.dropFirst(sign.count))
        // A point needs a digit on one of its sides.
        guard digits.prefix(2).contains(where: \.isWholeNumber) else { return nil }
        if digits.first == "." { digits = "0" + digits }
        if let point = digits.firstIndex(of: ".") {
            let next = digits.index(after: point)
            if next == digits.endIndex || digits[next] == "e" || digits[next] == "E" {
                digits.remove(at: point)
            }
        }
        let number = sign + digits
        return isJSON(number.utf8) ? number : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
