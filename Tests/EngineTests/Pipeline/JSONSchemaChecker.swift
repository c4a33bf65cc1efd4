// Method: the part of JSON Schema that the writer uses, checked plainly against a YAML tree.
import Configuration
import Foundation

/// Says whether a tree conforms to a schema.
struct JSONSchemaChecker {
    private let definitions: JSONDocument

    private let root: JSONDocument

    init(_ root: JSONDocument) {
        self.root = root
        definitions = Self.member("$defs", of: root) ?? .null
    }

    func accepts(_ node: YAMLNode) -> Bool { accepts(node, root) }

    private static func member(_ name: String, of document: JSONDocument) -> JSONDocument? {
        guard case .object(let members) = document else { return nil }
        return members.first { $0.name == name }?.value
    }

    private func accepts(_ node: YAMLNode, _ schema: JSONDocument) -> Bool {
        guard case .object(let members) = schema else { return false }
        return members.allSatisfy { accepts(node, keyword: $0.name, $0.value, schema) }
    }

    private func accepts(
        _ node: YAMLNode, keyword: String, _ value: JSONDocument, _ schema: JSONDocument
    ) -> Bool {
        switch (keyword, value) {
        case ("$ref", .text(let reference)):
            let name = String(reference.dropFirst("#/$defs/".count))
            return Self.member(name, of: definitions).map { accepts(node, $0) } ?? false
        case ("type", .text(let type)): return Self.types(node).contains(type)
        case ("type", .list(let types)):
            return types.contains { type in
                if case .text(let name) = type { Self.types(node).contains(name) } else { false }
            }
        case ("enum", .list(let values)): return values.contains { Self.equals(node, $0) }
        case ("const", let value): return Self.equals(node, value)
        case ("anyOf", .list(let choices)): return choices.contains { accepts(node, $0) }
        case ("required", .list(let names)):
            guard case .mapping(let entries) = node.content else { return true }
            return names.allSatisfy { name in entries.contains { .text($0.key) == name } }
        case ("properties", .object(let properties)):
            guard case .mapping(let entries) = node.content else { return true }
            return entries.allSatisfy { entry in
                properties.first { $0.name == entry.key }.map { accepts(entry.value, $0.value) }
                    ?? true
            }
        case ("additionalProperties", let additional):
            guard case .mapping(let entries) = node.content else { return true }
            var known: [String] = []
            if case .object(let properties)? = Self.member("properties", of: schema) {
                known = properties.map(\.name)
            }
            return entries.filter { !known.contains($0.key) }.allSatisfy { entry in
                if case .boolean(let isAllowed) = additional { return isAllowed }
                return accepts(entry.value, additional)
            }
        case ("minProperties", .integer(let least)): return (Self.count(node) ?? least) >= least
        case ("maxProperties", .integer(let most)): return (Self.count(node) ?? most) <= most
        case ("items", let items):
            guard case .sequence(let elements) = node.content else { return true }
            return elements.allSatisfy { accepts($0, items) }
        case ("pattern", .text(let pattern)):
            guard case .scalar(let scalar) = node.content else { return true }
            return scalar.text.range(of: pattern, options: .regularExpression) != nil
        case ("minimum", let bound): return Self.compare(node, bound) { $0 >= $1 }
        case ("exclusiveMinimum", let bound): return Self.compare(node, bound) { $0 > $1 }
        case ("maximum", let bound): return Self.compare(node, bound) { $0 <= $1 }
        case ("description", _), ("default", _), ("title", _), ("$schema", _), ("$defs", _):
            return true
        default: return false
        }
    }

    private static func count(_ node: YAMLNode) -> Int? {
        if case .mapping(let entries) = node.content { entries.count } else { nil }
    }

    private static func types(_ node: YAMLNode) -> [String] {
        switch node.content {
        case .mapping: ["object"]
        case .sequence: ["array"]
        case .scalar(let scalar):
            switch scalar.resolved {
            case .null: ["null"]
            case .boolean: ["boolean"]
            case .integer: ["integer", "number"]
            case .number: ["number"]
            case .text: ["string"]
            }
        }
    }

    private static func equals(_ node: YAMLNode, _ value: JSONDocument) -> Bool {
        guard case .scalar(let scalar) = node.content, case .text(let text) = value else {
            return false
        }
        return scalar.resolved == .text && scalar.text == text
    }

    private static func compare(
        _ node: YAMLNode, _ bound: JSONDocument, _ holds: (Double, Double) -> Bool
    ) -> Bool {
        guard case .scalar(let scalar) = node.content else { return true }
        let limit: Double
        switch bound {
        case .integer(let value): limit = Double(value)
        case .number(let value): limit = value
        default: return false
        }
        switch scalar.resolved {
        case .integer(let value): return holds(Double(value), limit)
        case .number(let value): return holds(value, limit)
        default: return true
        }
    }
}
