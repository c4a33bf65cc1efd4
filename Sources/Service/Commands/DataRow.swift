import Core

/// Turns the records of data files into flat JSON, and finds their keys.
package struct DataRow: Sendable {
    private let format: DataFormat
    private let columns: [String]
    /// The column of the key; `nil` for the row number.
    private let keyColumn: Int?
    private let keyField: String?
    /// `"name":` of each column, as JSON.
    private let prefixes: [[UInt8]]

    /// A record's key and value as they go to Kafka.
    package struct Message: Sendable, Equatable {
        package let key: [UInt8]
        package let value: [UInt8]
    }

    /// - Parameters:
    ///   - columns: The names in the CSV header; empty for JSON lines.
    ///   - keyField: The column or member that is the key; `nil` for the row number.
    /// - Throws: ``UsageError`` when CSV has no such column.
    package init(
        format: DataFormat, columns: [String], keyField: String?
    ) throws(UsageError) {
        self.format = format
        self.columns = columns
        self.keyField = keyField
        keyColumn = keyField.flatMap { columns.firstIndex(of: $0) }
        if let keyField, format != .jsonLines, keyColumn == nil {
            throw UnknownName.error(
                command: "produce", what: "column", name: keyField, among: columns)
        }
        prefixes = columns.map { JSONText.quoted($0) + [UInt8(ascii: ":")] }
    }

    /// The message of a record.
    ///
    /// A CSV cell that is a number stays one, digit for digit; an empty cell is left out; other
    /// cells are texts. A line of JSON goes as it is.
    ///
    /// - Parameter row: Its number, counted from 0.
    /// - Throws: ``CommandFailure`` when the row cannot be read as its header says.
    package func message(_ record: Span<UInt8>, row: Int) throws(CommandFailure) -> Message {
        switch format {
        case .jsonLines: try line(record, row: row)
        case .csv(let delimiter, let quote):
            try cells(CSVFields(record, delimiter: delimiter, quote: quote), row: row)
        }
    }

    private func line(_ record: Span<UInt8>, row: Int) throws(CommandFailure) -> Message {
        let value = record.indices.map { record[$0] }
        guard let keyField else { return Message(key: Self.number(row), value: value) }
        guard let found = JSONValue(value)?[keyField] else {
            throw CommandFailure(
                "tidewheel produce: row \(row) has no field '\(keyField)' for the key; "
                    + "correct it, or leave --key out")
        }
        switch found {
        case .text(let text): return Message(key: Array(text.utf8), value: value)
        case .number(let digits): return Message(key: Array(digits.utf8), value: value)
        case .boolean(let isTrue):
            return Message(key: Array((isTrue ? "true" : "false").utf8), value: value)
        case .null, .list, .object:
            throw CommandFailure(
                "tidewheel produce: row \(row): the field '\(keyField)' is no key; "
                    + "it must be a text, a number, true or false")
        }
    }

    private func cells(_ row: CSVFields, row number: Int) throws(CommandFailure) -> Message {
        guard row.fields.count == columns.count else {
            throw CommandFailure(
                "tidewheel produce: row \(number) has \(row.fields.count) fields, the header "
                    + "\(columns.count); correct the row")
        }
        var value: [UInt8] = []
        for (index, field) in row.fields.enumerated() where !field.text.isEmpty {
            // The first member that is there opens the object.
            value += value.isEmpty ? [UInt8(ascii: "{")] : [UInt8(ascii: ",")]
            value += prefixes[index]
            if !field.isQuoted, let digits = NumberLiteral.json(fromCell: field.text) {
                value += digits.utf8
            } else {
                value += JSONText.quoted(field.text)
            }
        }
        value += value.isEmpty ? Array("{}".utf8) : [UInt8(ascii: "}")]
        let key = keyColumn.map { Array(row.fields[$0].text.utf8) } ?? Self.number(number)
        return Message(key: key, value: value)
    }

    private static func number(_ row: Int) -> [UInt8] { Array(String(row).utf8) }
}

/// Texts as JSON.
enum JSONText {
    /// The text in quotes, with what JSON wants escaped.
    static func quoted(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case ..<0x20:
                let digits = String(byte, radix: 16)
                bytes += Array("\\u00\(byte < 16 ? "0" : "")\(digits)".utf8)
            default: bytes.append(byte)
            }
        }
        return bytes + [UInt8(ascii: "\"")]
    }
}
