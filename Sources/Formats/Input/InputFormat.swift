package import Core

/// How the bytes of a record's value are to be read.
package enum InputFormat: Sendable, Equatable {
    /// One JSON object in each record; also a line of JSON lines.
    case json
    /// One row of comma-separated values in each record.
    case csv(CSVFormat)
}

/// The shape of comma-separated values: the columns and the two special characters.
///
/// Quoting follows RFC 4180: a field that begins with a quote ends at the next single quote, and two
/// quotes stand for one. A quote inside an unquoted field is a fault.
package struct CSVFormat: Sendable, Equatable {
    /// The names of the columns in their order; a field `user.age` is a column of that name.
    package let columns: [String]
    /// One ASCII character between fields.
    package let separator: UInt8
    /// One ASCII character around fields.
    package let quote: UInt8

    package init(
        columns: [String], separator: UInt8 = UInt8(ascii: ","), quote: UInt8 = UInt8(ascii: "\"")
    ) {
        precondition(separator < 0x80 && quote < 0x80, "separator and quote must be ASCII")
        precondition(separator != quote, "separator and quote must differ")
        self.columns = columns
        self.separator = separator
        self.quote = quote
    }

    /// The format of a file whose first line, without its line end, is `header`.
    package init(
        header: Span<UInt8>, separator: UInt8 = UInt8(ascii: ","),
        quote: UInt8 = UInt8(ascii: "\"")
    ) throws(RecordFault) {
        var reader = CSVSplitter(separator: separator, quote: quote)
        var content = ByteBuffer(capacity: header.count)
        content.append(header)
        let start = Self.hasByteOrderMark(header) ? 3 : 0
        try reader.split(&content, from: start)
        var names: [String] = []
        for field in reader.fields {
            var name: [UInt8] = []
            for index in field.start..<field.end { name.append(content.bytes[index]) }
            guard let text = String(validating: name, as: UTF8.self) else { throw .invalidUTF8 }
            names.append(text)
        }
        self.init(columns: names, separator: separator, quote: quote)
    }
}

extension CSVFormat {
    /// Whether the bytes begin with the mark that spreadsheets write: it is no part of a name.
    private static func hasByteOrderMark(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    }
}

/// A schema that an input format cannot serve.
package enum FormatError: Error, Equatable {
    /// A field of the schema is no column.
    case missingColumn(String)
    /// A field of the schema is two columns.
    case repeatedColumn(String)
}
