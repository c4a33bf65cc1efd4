import Core
import Foundation

extension PlainDecoder {
    /// The deepest nesting that is allowed.
    private static let depthMax = 64

    func readJSON(_ value: [UInt8]) throws -> Fields {
        if Self.depth(value) > Self.depthMax { throw RecordFault.nestedTooDeep }
        guard let document = try? PlainJSONParser.parse(value),
            case .object(let members) = document
        else { throw RecordFault.malformed }
        var fields = Fields()
        try walk(members, at: [], &fields)
        return fields
    }

    /// How deep brackets nest that stand outside of quotes.
    private static func depth(_ value: [UInt8]) -> Int {
        var depth = 0
        var deepest = 0
        var isQuoted = false
        var isEscaped = false
        for byte in value {
            if isEscaped {
                isEscaped = false
            } else if isQuoted && byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if !isQuoted && (byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")) {
                depth += 1
                deepest = max(deepest, depth)
            } else if !isQuoted && (byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")) {
                depth -= 1
            }
        }
        return deepest
    }

    /// Gives each member to its readers; the first fault in the order of the document is thrown.
    private func walk(
        _ members: [(key: [UInt8], value: PlainJSON)], at parent: [[UInt8]], _ fields: inout Fields
    ) throws {
        var seen: [[UInt8]] = []
        for (key, value) in members {
            let path = parent + [key]
            let onTheWay = readers.filter { reader in
                reader.path.count >= path.count
                    && zip(reader.path, path).allSatisfy { Array($0.utf8) == $1 }
            }
            if onTheWay.isEmpty {
                if value.holdsNotFinite { throw RecordFault.notFinite }
                continue
            }
            if seen.contains(key) { throw RecordFault.duplicateField }
            seen.append(key)
            let here = onTheWay.filter { $0.path.count == path.count }
            for (_, reader) in here { try take(value, reader, &fields) }
            if here.count < onTheWay.count, case .object(let members) = value {
                try walk(members, at: path, &fields)
            } else if here.isEmpty {
                if case .null = value { continue }
                if case .notFinite = value { throw RecordFault.notFinite }
                throw RecordFault.wrongType
            }
        }
    }

    private func take(_ value: PlainJSON, _ reader: Reader, _ fields: inout Fields) throws {
        if case .null = value { return }
        switch reader {
        case .weight: fields.weight = try number(value, .invalidWeight, .invalidWeight)
        case .time:
            guard
                let text = text(
                    value, strings: schema.eventTimeUnit == .rfc3339,
                    numbers: schema.eventTimeUnit != .rfc3339, booleans: false)
            else { throw RecordFault.invalidTime }
            fields.time = text
        case .label:
            if case .number? = schema.label?.kind {
                fields.labelNumber = try number(value, .wrongType, .notFinite)
            } else {
                fields.labelText = try category(value)
            }
        case .model:
            guard let text = text(value, strings: true, numbers: true, booleans: true) else {
                throw RecordFault.invalidModelField
            }
            fields.model = text
        case .id:
            switch value {
            case .string(_, let raw): fields.id = String(decoding: raw, as: UTF8.self)
            case .number(let literal): fields.id = String(decoding: literal, as: UTF8.self)
            case .notFinite: throw RecordFault.notFinite
            default: throw RecordFault.wrongType
            }
        case .feature(let index): try take(value, feature: index, &fields)
        }
    }

    private func take(_ value: PlainJSON, feature index: Int, _ fields: inout Fields) throws {
        switch schema.features[index].kind {
        case .numeric: fields.numbers[index] = try number(value, .wrongType, .notFinite)
        case .boolean:
            if case .notFinite = value { throw RecordFault.notFinite }
            guard case .boolean(let flag) = value else { throw RecordFault.wrongType }
            fields.numbers[index] = flag ? 1 : 0
        case .categorical: fields.texts[index] = try category(value)
        case .timestamp(let unit, _):
            if case .notFinite = value { throw RecordFault.notFinite }
            guard
                let text = text(
                    value, strings: unit == .rfc3339, numbers: unit != .rfc3339, booleans: false)
            else { throw RecordFault.wrongType }
            fields.texts[index] = text
        case .text:
            if case .notFinite = value { throw RecordFault.notFinite }
            guard let text = text(value, strings: true, numbers: false, booleans: false)
            else { throw RecordFault.wrongType }
            fields.texts[index] = text
        case .map:
            if case .notFinite = value { throw RecordFault.notFinite }
            guard case .object(let members) = value else { throw RecordFault.wrongType }
            fields.items[index] = try members.map { member in
                if case .null = member.value { return (member.key, nil) }
                return (member.key, try number(member.value, .wrongType, .notFinite))
            }
        case .set:
            if case .notFinite = value { throw RecordFault.notFinite }
            guard case .array(let members) = value else { throw RecordFault.wrongType }
            fields.items[index] = try members.compactMap { member in
                if case .null = member { return nil }
                return (try category(member), 1)
            }
        }
    }

    private func number(
        _ value: PlainJSON, _ typeFault: RecordFault, _ rangeFault: RecordFault
    ) throws -> Double {
        if case .notFinite = value { throw rangeFault }
        guard case .number(let literal) = value else { throw typeFault }
        let number = strtod(String(decoding: literal, as: UTF8.self), nil)
        guard number.isFinite else { throw rangeFault }
        return number
    }

    private func category(_ value: PlainJSON) throws -> [UInt8] {
        if case .notFinite = value { throw RecordFault.notFinite }
        guard let text = text(value, strings: true, numbers: true, booleans: true) else {
            throw RecordFault.wrongType
        }
        return text
    }

    private func text(
        _ value: PlainJSON, strings: Bool, numbers: Bool, booleans: Bool
    ) -> [UInt8]? {
        switch value {
        case .string(let text, _): strings ? text : nil
        case .number(let literal): numbers ? literal : nil
        case .boolean(let flag): booleans ? Array(String(flag).utf8) : nil
        default: nil
        }
    }
}
