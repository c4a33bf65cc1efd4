import Core

/// Cuts one CSV record into its fields.
struct CSVSplitter: Sendable {
    /// Where a field's text stands, without its quotes.
    struct Field: Sendable {
        var start: Int
        var end: Int
    }

    let separator: UInt8
    let quote: UInt8
    /// The fields of the last record.
    private(set) var fields: [Field] = []

    init(separator: UInt8, quote: UInt8) {
        self.separator = separator
        self.quote = quote
    }

    /// Cuts the bytes from `start` to the end; one line end at the end is no part of the record.
    ///
    /// Two quotes inside a quoted field become one in place.
    mutating func split(_ content: inout ByteBuffer, from start: Int) throws(RecordFault) {
        fields.removeAll(keepingCapacity: true)
        var bytes = content.mutableBytes
        var limit = bytes.count
        if limit > start && bytes[limit - 1] == UInt8(ascii: "\n") { limit -= 1 }
        if limit > start && bytes[limit - 1] == UInt8(ascii: "\r") { limit -= 1 }
        var position = start
        while true {
            let begin = position
            if position < limit && bytes[position] == quote {
                var out = begin
                position += 1
                while true {
                    guard position < limit else { throw .malformed }
                    let byte = bytes[position]
                    if byte == quote {
                        guard position + 1 < limit && bytes[position + 1] == quote else { break }
                        position += 1
                    }
                    bytes[out] = byte
                    out += 1
                    position += 1
                }
                position += 1
                fields.append(Field(start: begin, end: out))
                guard position == limit || bytes[position] == separator else { throw .malformed }
            } else {
                while position < limit {
                    let byte = bytes[position]
                    if byte == separator { break }
                    if byte == quote || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                        throw .malformed
                    }
                    position += 1
                }
                fields.append(Field(start: begin, end: position))
            }
            if position == limit { return }
            position += 1
        }
    }
}
