package import Core

/// A JSON value to be written: objects keep the order of their members.
package indirect enum JSONDocument: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// Finite; anything else is written as `null`.
    case number(Double)
    case text(String)
    case list([JSONDocument])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: JSONDocument

        package init(_ name: String, _ value: JSONDocument) {
            self.name = name
            self.value = value
        }
    }

    /// An object, without the members whose value is `nil`.
    package static func object(_ members: (String, JSONDocument?)...) -> JSONDocument {
        .object(members.compactMap { name, value in value.map { Member(name, $0) } })
    }

    package static func texts(_ texts: [String]) -> JSONDocument {
        .list(texts.map { .text($0) })
    }

    /// The document in JSON (RFC 8259), indented by two spaces, with a line end at its end.
    package var written: String {
        var result = ""
        write(to: &result, indentation: "")
        return result + "\n"
    }

    private func write(to result: inout String, indentation: String) {
        switch self {
        case .null: result += "null"
        case .boolean(let value): result += value ? "true" : "false"
        case .integer(let value): result += "\(value)"
        case .number(let value):
            result += value.isFinite ? SettingValue.number(value).yaml : "null"
        case .text(let text): Self.write(text, to: &result)
        case .list(let values):
            Self.write(values, "[", "]", to: &result, indentation) { value, result, inner in
                value.write(to: &result, indentation: inner)
            }
        case .object(let members):
            Self.write(members, "{", "}", to: &result, indentation) { member, result, inner in
                Self.write(member.name, to: &result)
                result += ": "
                member.value.write(to: &result, indentation: inner)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], _ open: String, _ close: String, to result: inout String,
        _ indentation: String, _ body: (Element, inout String, String) -> Void
    ) {
        guard !elements.isEmpty else {
            result += open + close
            return
        }
        let inner = indentation + "  "
        result += open
        for (index, element) in elements.enumerated() {
            result += index == 0 ? "\n" : ",\n"
            result += inner
            body(element, &result, inner)
        }
        result += "\n\(indentation)\(close)"
    }

    private static func write(_ text: String, to result: inout String) {
        result += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        result += "\""
    }
}

extension SettingValue {
    /// As data: values with a unit are written as text with it.
    package var json: JSONDocument {
        switch self {
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .boolean(let value): .boolean(value)
        case .text(let value): .text(value)
        case .columns(.named(let names)): .texts(names)
        case .list(let values): .list(values.map(\.json))
        case .map(let pairs):
            .object(pairs.map { JSONDocument.Member($0.name, .text($0.text)) })
        case .named(let values):
            .object(values.map { JSONDocument.Member($0.name, $0.value.json) })
        case .section(let settings): settings.json
        case .component(let name, let settings):
            settings.keys.isEmpty
                ? .text(name) : .object([JSONDocument.Member(name, settings.json)])
        case .duration, .bytes, .extent, .columns(.all): .text(yaml)
        }
    }
}

extension Settings {
    /// An object of the keys in their order.
    package var json: JSONDocument {
        .object(keys.compactMap { key in self[key].map { JSONDocument.Member(key, $0.json) } })
    }
}
