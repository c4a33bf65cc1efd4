import Core

extension ByteBuffer {
    /// Appends a record's own identity: its key, else `"partition-offset"`.
    ///
    /// A key that is no UTF-8 is written as `"0x"` and hexadecimal digits.
    mutating func append(idOf record: RawRecord) {
        let key = record.key
        if record.keyCount < 0 {
            append(UInt8(ascii: "\""))
            append(decimal: record.partition)
            append(UInt8(ascii: "-"))
            append(decimal: record.offset)
            append(UInt8(ascii: "\""))
        } else if key.isUTF8 {
            appendJSON(text: key)
        } else {
            append("\"0x" as StaticString)
            for index in key.indices { appendHexadecimal(key[index]) }
            append(UInt8(ascii: "\""))
        }
    }

    /// Appends an identity from a field: a JSON literal as it stands, or the text of a CSV cell,
    /// which becomes a number if JSON would read it as one.
    mutating func append(id: Span<UInt8>, isLiteral: Bool) {
        if isLiteral || Self.isJSONNumber(id) {
            append(id)
        } else {
            appendJSON(text: id)
        }
    }

    private static func isJSONNumber(_ text: Span<UInt8>) -> Bool {
        var index = 0
        func digits() -> Int {
            let first = index
            while index < text.count, text[index] &- UInt8(ascii: "0") < 10 { index += 1 }
            return index - first
        }
        if index < text.count, text[index] == UInt8(ascii: "-") { index += 1 }
        let first = index
        let whole = digits()
        guard whole > 0, whole == 1 || text[first] != UInt8(ascii: "0") else { return false }
        if index < text.count, text[index] == UInt8(ascii: ".") {
            index += 1
            guard digits() > 0 else { return false }
        }
        if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < text.count,
                text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-")
            {
                index += 1
            }
            guard digits() > 0 else { return false }
        }
        return index == text.count
    }
}
