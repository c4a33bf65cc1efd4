/// The fields of one CSV record, off the hot path: headers and rows that become JSON.
package struct CSVFields: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package let text: String
        /// Whether it stood in quotes, and so is a text even if it looks like a number.
        package let isQuoted: Bool

        package init(_ text: String, isQuoted: Bool = false) {
            self.text = text
            self.isQuoted = isQuoted
        }
    }

    package let fields: [Field]

    /// Reads a record as RFC 4180 has it; a quote that is not closed ends with the record.
    package init(
        _ record: Span<UInt8>, delimiter: UInt8, quote: UInt8 = UInt8(ascii: "\"")
    ) {
        var fields: [Field] = []
        var bytes: [UInt8] = []
        var wasQuoted = false
        var isInside = false
        var index = 0
        while index < record.count {
            let byte = record[index]
            index += 1
            if isInside {
                if byte != quote {
                    bytes.append(byte)
                } else if index < record.count, record[index] == quote {
                    bytes.append(byte)
                    index += 1
                } else {
                    isInside = false
                }
            } else if byte == delimiter {
                fields.append(Field(String(decoding: bytes, as: UTF8.self), isQuoted: wasQuoted))
                bytes.removeAll(keepingCapacity: true)
                wasQuoted = false
            } else if byte == quote, bytes.isEmpty, !wasQuoted {
                wasQuoted = true
                isInside = true
            } else {
                bytes.append(byte)
            }
        }
        fields.append(Field(String(decoding: bytes, as: UTF8.self), isQuoted: wasQuoted))
        self.fields = fields
    }
}
