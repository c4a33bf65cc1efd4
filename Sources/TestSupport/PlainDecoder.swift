package import Core
package import Formats
import Foundation

/// Decodes records in the plainest way, one at a time and without a thought for speed: the oracle of
/// `RecordDecoder`.
package struct PlainDecoder {
    /// A decoded record.
    package struct Row: Equatable {
        /// Bit patterns, so that NaN equals NaN.
        package var columns: [UInt64] = []
        package var sparse: [Pair] = []
        package var classLabel: Int32 = -1
        package var knownClasses: Int32 = 0
        package var target: UInt64 = Double.nan.bitPattern
        package var weight = 1.0
        package var eventTime: Int64 = 0
        package var id = ""
        package var modelKey: [UInt8] = []
        package var recordIndex = 0
    }

    package struct Pair: Equatable {
        package let index: UInt32
        package let value: Double

        package init(index: UInt32, value: Double) {
            self.index = index
            self.value = value
        }
    }

    /// Who reads a field.
    enum Reader {
        case feature(Int)
        case weight
        case time
        case label
        case id
        case model
    }

    /// The values of one record, by reader.
    struct Fields {
        var numbers: [Int: Double] = [:]
        var texts: [Int: [UInt8]] = [:]
        /// A `nil` number is one that is missing.
        var items: [Int: [(name: [UInt8], value: Double?)]] = [:]
        var weight: Double?
        var time: [UInt8]?
        var labelText: [UInt8]?
        var labelNumber: Double?
        var id: String?
        var model: [UInt8]?
    }

    let schema: Schema
    let format: InputFormat
    let limit: Int
    let readers: [(path: [String], reader: Reader)]
    /// The values of each categorical feature, in the order of their codes; empty for others.
    package private(set) var dictionaries: [[[UInt8]]] = []
    package private(set) var classes: [[UInt8]] = []

    package init(schema: Schema, format: InputFormat, valueBytesLimit: Int = 1 << 20) {
        self.schema = schema
        self.format = format
        limit = valueBytesLimit
        var readers: [(path: [String], reader: Reader)] = []
        for (index, feature) in schema.features.enumerated() {
            readers.append((feature.path, .feature(index)))
            if case .categorical(let values, _) = feature.kind {
                dictionaries.append(values.map { Array($0.utf8) })
            } else {
                dictionaries.append([])
            }
        }
        if let path = schema.weightPath { readers.append((path, .weight)) }
        if let path = schema.eventTimePath { readers.append((path, .time)) }
        if let label = schema.label {
            readers.append((label.path, .label))
            if case .category(let declared, _) = label.kind {
                classes = declared.map { Array($0.utf8) }
            }
        }
        if let path = schema.idPath { readers.append((path, .id)) }
        if let path = schema.modelPath { readers.append((path, .model)) }
        self.readers = readers
    }

    package mutating func decode(
        _ records: [RecordList.Record]
    ) -> (rows: [Row], rejections: [RecordRejection]) {
        var rows: [Row] = []
        var rejections: [RecordRejection] = []
        for (index, record) in records.enumerated() {
            do {
                let fields = try read(record)
                var row = try finish(fields, record)
                row.recordIndex = index
                rows.append(row)
            } catch let fault as RecordFault {
                rejections.append(RecordRejection(recordIndex: index, fault: fault))
            } catch {
                preconditionFailure("unexpected \(error)")
            }
        }
        return (rows, rejections)
    }

    private func read(_ record: RecordList.Record) throws -> Fields {
        guard let value = record.value else { throw RecordFault.tombstone }
        if value.isEmpty { throw RecordFault.emptyValue }
        if value.count > limit { throw RecordFault.valueTooLarge }
        if value.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) {
            throw RecordFault.emptyValue
        }
        if String(validating: value, as: UTF8.self) == nil { throw RecordFault.invalidUTF8 }
        switch format {
        case .json: return try readJSON(value)
        case .csv(let shape): return try readCSV(value, shape)
        }
    }

    private mutating func finish(_ fields: Fields, _ record: RecordList.Record) throws -> Row {
        var row = Row()
        for (index, feature) in schema.features.enumerated() {
            try append(feature, index, fields, to: &row)
        }
        if schema.weightPath != nil {
            guard let weight = fields.weight, weight >= 0 else { throw RecordFault.invalidWeight }
            row.weight = weight
        }
        row.eventTime = max(0, record.timestamp)
        if schema.eventTimePath != nil {
            guard let time = fields.time, let moment = PlainTime(time, schema.eventTimeUnit)
            else { throw RecordFault.invalidTime }
            row.eventTime = moment.milliseconds
        }
        if schema.modelPath != nil {
            guard let key = fields.model, (1...RecordDecoder.valueBytesMax).contains(key.count)
            else { throw RecordFault.invalidModelField }
            row.modelKey = key
        }
        if let label = schema.label {
            if label.isRequired && fields.labelText == nil && fields.labelNumber == nil {
                throw RecordFault.missingLabel
            }
            row.target = (fields.labelNumber ?? .nan).bitPattern
            if case .category(_, let limit) = label.kind {
                row.knownClasses = Int32(classes.count)
                if let text = fields.labelText {
                    guard let code = Self.code(text, &classes, limit: limit) else {
                        throw RecordFault.tooManyClasses
                    }
                    row.classLabel = Int32(code)
                }
            }
        }
        // Only now is the record good: new categories get their codes.
        var column = 0
        for (index, feature) in schema.features.enumerated() {
            switch feature.kind {
            case .categorical(_, let limit):
                if let text = fields.texts[index] {
                    let code = Self.code(text, &dictionaries[index], limit: limit - 1)
                    row.columns[column] = Double(code ?? limit - 1).bitPattern
                }
                column += 1
            case .numeric, .boolean: column += 1
            case .timestamp(_, let derived): column += 1 + derived.count
            case .text, .map, .set: break
            }
        }
        row.id = fields.id ?? Self.identity(of: record)
        return row
    }

    private static func code(
        _ text: [UInt8], _ values: inout [[UInt8]], limit: Int
    ) -> Int? {
        if let known = values.firstIndex(of: text) { return known }
        guard text.count <= RecordDecoder.valueBytesMax, values.count < limit else { return nil }
        values.append(text)
        return values.count - 1
    }

    private func append(
        _ feature: Feature, _ index: Int, _ fields: Fields, to row: inout Row
    ) throws {
        func pair(_ token: [UInt8], _ value: Double) -> Pair {
            let hash = PlainMurmur3.hash(Array(feature.name.utf8) + [0] + token)
            return Pair(index: hash & UInt32((1 << schema.sparseBits) - 1), value: value)
        }
        switch feature.kind {
        case .numeric, .boolean, .categorical:
            row.columns.append((fields.numbers[index] ?? .nan).bitPattern)
        case .timestamp(let unit, let derived):
            var moment: PlainTime?
            if let text = fields.texts[index] {
                moment = PlainTime(text, unit)
                if moment == nil { throw RecordFault.invalidTime }
            }
            row.columns.append((moment?.value ?? .nan).bitPattern)
            for part in derived { row.columns.append((moment?.part(part) ?? .nan).bitPattern) }
        case .text:
            let words = (fields.texts[index] ?? []).split { byte in
                byte < 0x80 && !Character(Unicode.Scalar(byte)).isLetter
                    && !Character(Unicode.Scalar(byte)).isNumber
            }.map { $0.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 } }
            for (place, word) in words.enumerated() where words.firstIndex(of: word) == place {
                row.sparse.append(pair(word, Double(words.count { $0 == word })))
            }
        case .map, .set:
            let items = fields.items[index] ?? []
            for (place, item) in items.enumerated() {
                if items.firstIndex(where: { $0.name == item.name }) == place {
                    if let value = item.value { row.sparse.append(pair(item.name, value)) }
                } else if feature.kind == .map {
                    throw RecordFault.duplicateField
                }
            }
        }
    }

    private static func identity(of record: RecordList.Record) -> String {
        guard let key = record.key else { return "\"\(record.partition)-\(record.offset)\"" }
        guard let text = String(validating: key, as: UTF8.self) else {
            return "\"0x" + key.map { String(format: "%02x", $0) }.joined() + "\""
        }
        return quoted(text)
    }

    /// A text as JSON.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{8}": result += "\\b"
            case "\u{C}": result += "\\f"
            case "\u{0}"..<" ": result += "\\u00" + String(format: "%02x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
