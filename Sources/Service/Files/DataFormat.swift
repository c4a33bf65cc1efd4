/// How the records of a data file are written.
package enum DataFormat: Sendable, Equatable {
    /// Comma-separated values with a header line.
    case csv(delimiter: UInt8, quote: UInt8 = 0x22)
    /// One JSON document a line.
    case jsonLines

    package static let commaSeparated = DataFormat.csv(delimiter: 0x2C)

    /// The format that a file's name tells, `.gz` put aside; `nil` for other names.
    package init?(path: String) {
        var name = path.lowercased()
        if name.hasSuffix(".gz") { name.removeLast(3) }
        if name.hasSuffix(".csv") {
            self = .commaSeparated
        } else if name.hasSuffix(".tsv") {
            self = .csv(delimiter: 0x09)
        } else if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") || name.hasSuffix(".json") {
            self = .jsonLines
        } else {
            return nil
        }
    }

    /// The format that the first bytes tell: JSON when the first visible one opens an object.
    package init(content: Span<UInt8>) {
        for index in content.indices {
            switch content[index] {
            case 0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF: continue
            case UInt8(ascii: "{"):
                self = .jsonLines
                return
            default:
                self = .commaSeparated
                return
            }
        }
        self = .commaSeparated
    }

    var scanner: RecordScanner {
        switch self {
        case .csv(let delimiter, let quote):
            RecordScanner(layout: .csv(delimiter: delimiter, quote: quote))
        case .jsonLines: RecordScanner(layout: .lines)
        }
    }
}
