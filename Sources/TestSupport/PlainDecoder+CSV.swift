import Core
import Formats
import Foundation

extension PlainDecoder {
    func readCSV(_ value: [UInt8], _ shape: CSVFormat) throws -> Fields {
        let cells = try Self.cells(value, shape)
        guard cells.count == shape.columns.count else { throw RecordFault.wrongFieldCount }
        var fields = Fields()
        for (column, cell) in zip(shape.columns, cells) where !cell.isEmpty {
            for (path, reader) in readers where path.joined(separator: ".") == column {
                try take(cell, reader, &fields)
            }
        }
        return fields
    }

    /// The cells of a record by RFC 4180.
    private static func cells(_ value: [UInt8], _ shape: CSVFormat) throws -> [[UInt8]] {
        var rest = value[...]
        if rest.last == 0x0A { rest.removeLast() }
        if rest.last == 0x0D { rest.removeLast() }
        var cells: [[UInt8]] = []
        while true {
            var cell: [UInt8] = []
            if rest.first == shape.quote {
                rest.removeFirst()
                while true {
                    guard let byte = rest.popFirst() else { throw RecordFault.malformed }
                    if byte == shape.quote {
                        if rest.first != shape.quote { break }
                        rest.removeFirst()
                    }
                    cell.append(byte)
                }
                if let byte = rest.first, byte != shape.separator { throw RecordFault.malformed }
            } else {
                cell = Array(rest.prefix { $0 != shape.separator })
                if cell.contains(where: { [shape.quote, 0x0A, 0x0D].contains($0) }) {
                    throw RecordFault.malformed
                }
                rest = rest.dropFirst(cell.count)
            }
            cells.append(cell)
            if rest.popFirst() == nil { return cells }
        }
    }

    private func take(_ cell: [UInt8], _ reader: Reader, _ fields: inout Fields) throws {
        switch reader {
        case .weight: fields.weight = try Self.number(cell, .invalidWeight, .invalidWeight)
        case .time: fields.time = cell
        case .model: fields.model = cell
        case .label:
            if case .number? = schema.label?.kind {
                fields.labelNumber = try Self.number(cell, .wrongType, .notFinite)
            } else {
                fields.labelText = cell
            }
        case .id:
            let text = String(decoding: cell, as: UTF8.self)
            if case .number? = try? PlainJSONParser.parse(cell), !" \t\n\r".contains(text.first!),
                !" \t\n\r".contains(text.last!)
            {
                fields.id = text
            } else {
                fields.id = Self.quoted(text)
            }
        case .feature(let index): try take(cell, feature: index, &fields)
        }
    }

    private func take(_ cell: [UInt8], feature index: Int, _ fields: inout Fields) throws {
        switch schema.features[index].kind {
        case .numeric: fields.numbers[index] = try Self.number(cell, .wrongType, .notFinite)
        case .boolean:
            switch String(decoding: cell, as: UTF8.self).lowercased() {
            case "true", "1": fields.numbers[index] = 1
            case "false", "0": fields.numbers[index] = 0
            default: throw RecordFault.wrongType
            }
        case .categorical, .timestamp, .text: fields.texts[index] = cell
        case .set:
            fields.items[index] = Self.members(cell).map { ($0, 1) }
        case .map:
            fields.items[index] = try Self.members(cell).map { member in
                guard let colon = member.lastIndex(of: UInt8(ascii: ":")) else {
                    throw RecordFault.wrongType
                }
                let value = try Self.number(
                    Array(member[(colon + 1)...]), .wrongType, .notFinite)
                return (Array(member[..<colon]), value)
            }
        }
    }

    private static func members(_ cell: [UInt8]) -> [[UInt8]] {
        cell.split { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.map { Array($0) }
    }

    private static func number(
        _ cell: [UInt8], _ typeFault: RecordFault, _ rangeFault: RecordFault
    ) throws -> Double {
        let text = String(decoding: cell, as: UTF8.self)
            .trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\n"))
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        if ["nan", "inf", "infinity"].contains(unsigned.lowercased()) { throw rangeFault }
        guard unsigned.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }),
            let first = unsigned.utf8.first, first != UInt8(ascii: "+"),
            first != UInt8(ascii: "-"), Self.isNumber(text)
        else { throw typeFault }
        let value = strtod(text, nil)
        guard value.isFinite else { throw rangeFault }
        return value
    }

    /// Whether C's own reader takes the whole text.
    private static func isNumber(_ text: String) -> Bool {
        text.withCString { start in
            var end: UnsafeMutablePointer<CChar>?
            _ = strtod(start, &end)
            return end.map { UnsafePointer($0) - start } == strlen(start) && strlen(start) > 0
        }
    }
}
