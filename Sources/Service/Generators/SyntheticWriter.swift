package import Core

/// Writes the records of a synthetic stream as CSV or as JSON lines.
package struct SyntheticWriter: Sendable {
    package enum Format: String, Sendable, CaseIterable {
        case csv
        case jsonLines = "jsonl"
    }

    private let format: Format
    private let columns: [SyntheticColumn]
    /// What stands before each value.
    private let prefixes: [[UInt8]]

    package init(_ description: SyntheticDescription, format: Format) {
        self.format = format
        columns = description.columns + [description.label]
        prefixes = columns.enumerated().map { index, column in
            let separator = index == 0 ? "" : ","
            switch format {
            case .csv: return Array(separator.utf8)
            case .jsonLines: return Array("\(index == 0 ? "{" : separator)\"\(column.name)\":".utf8)
            }
        }
    }

    /// Writes the header line that CSV begins with; nothing for JSON lines.
    package func writeHeader(to buffer: inout ByteBuffer) {
        guard format == .csv else { return }
        buffer.append(columns.map(\.name).joined(separator: ",") + "\n")
    }

    /// Writes the record drawn last, without a line end.
    package func write(_ stream: SyntheticStream, to buffer: inout ByteBuffer) {
        for (index, column) in columns.enumerated() {
            let prefix = prefixes[index]
            buffer.append(prefix.span)
            let value = index < stream.values.count ? stream.values[index] : stream.label
            switch column.kind {
            case .integer: buffer.appendDecimal(value, digits: 0)
            case .decimal(let digits): buffer.appendDecimal(value, digits: digits)
            case .nominal(let names):
                if format == .jsonLines { buffer.append(UInt8(ascii: "\"")) }
                buffer.append(names[Int(value)])
                if format == .jsonLines { buffer.append(UInt8(ascii: "\"")) }
            }
        }
        if format == .jsonLines { buffer.append(UInt8(ascii: "}")) }
    }
}

extension ByteBuffer {
    /// Appends a number with a fixed number of decimals, rounded half away from zero.
    ///
    /// - Precondition: its magnitude times 10^digits is below 2^62.
    mutating func appendDecimal(_ value: Double, digits: Int) {
        var unit = 1
        for _ in 0..<digits { unit *= 10 }
        let scaled = Int((value.magnitude * Double(unit)).rounded())
        if value < 0, scaled != 0 { append(UInt8(ascii: "-")) }
        appendInteger(scaled / unit)
        guard digits > 0 else { return }
        append(UInt8(ascii: "."))
        var place = unit / 10
        while place > 0 {
            append(UInt8(ascii: "0") + UInt8(scaled / place % 10))
            place /= 10
        }
    }

    /// Appends an integer of at least 0.
    mutating func appendInteger(_ value: Int) {
        precondition(value >= 0, "the integer must be at least 0, got \(value)")
        var place = 1
        while value / place >= 10 { place *= 10 }
        while place > 0 {
            append(UInt8(ascii: "0") + UInt8(value / place % 10))
            place /= 10
        }
    }
}
