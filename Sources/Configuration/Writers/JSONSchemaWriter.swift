package import Core

/// Writes declarations as a JSON Schema (draft 2020-12), from which editors complete and check.
package enum JSONSchemaWriter {
    /// The schema of a file whose top has these keys.
    package static func schema(
        title: String, description: String, _ declarations: [SettingDeclaration]
    ) -> JSONDocument {
        guard case .object(let members) = section(declarations) else { return .null }
        let head: [JSONDocument.Member] = [
            .init("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
            .init("title", .text(title)), .init("description", .text(description)),
        ]
        let definitions = JSONDocument.object(
            (
                "reference",
                .object(
                    ("type", .text("string")), ("pattern", .text(#"\$\{(env|file):[^}]+\}"#)),
                    ("description", .text("A value from the environment or from a file."))
                )
            ))
        return .object(head + members + [.init("$defs", definitions)])
    }

    /// A mapping with declared keys.
    private static func section(_ declarations: [SettingDeclaration]) -> JSONDocument {
        let required = declarations.filter(\.isRequired).map(\.key)
        return .object(
            ("type", .text("object")),
            (
                "properties",
                .object(
                    declarations.map { declaration in
                        JSONDocument.Member(
                            declaration.key, setting(declaration, nested(declaration, declarations))
                        )
                    })
            ),
            ("required", required.isEmpty ? nil : .texts(required)),
            ("additionalProperties", .boolean(false)))
    }

    /// The keys with a dot that may also stand inside a map.
    private static func nested(
        _ map: SettingDeclaration, _ all: [SettingDeclaration]
    ) -> [JSONDocument.Member] {
        guard map.kind.isMap else { return [] }
        return all.filter { $0.key.hasPrefix("\(map.key).") }.map {
            JSONDocument.Member(String($0.key.dropFirst(map.key.count + 1)), setting($0, []))
        }
    }

    private static func setting(
        _ declaration: SettingDeclaration, _ nested: [JSONDocument.Member]
    ) -> JSONDocument {
        guard case .object(var members) = kind(declaration.kind) else { return .null }
        if !nested.isEmpty { members.append(.init("properties", .object(nested))) }
        var head = [JSONDocument.Member("description", .text(declaration.summary))]
        if let value = declaration.defaultValue { head.append(.init("default", value.json)) }
        return .object(head + members)
    }

    private static let reference = JSONDocument.object(
        ("$ref", .text("#/$defs/reference")))

    private static func anyOf(_ choices: [JSONDocument]) -> JSONDocument {
        choices.count == 1 ? choices[0] : .object(("anyOf", .list(choices)))
    }

    private static func type(_ name: String) -> JSONDocument { .object(("type", .text(name))) }

    private static func pattern(_ pattern: String) -> JSONDocument {
        .object(("type", .text("string")), ("pattern", .text(pattern)))
    }

    private static func kind(_ kind: SettingKind) -> JSONDocument {
        switch kind {
        case .integer(let range):
            anyOf([
                .object(
                    ("type", .text("integer")),
                    ("minimum", range.lowerBound == .min ? nil : .integer(range.lowerBound)),
                    ("maximum", range.upperBound == .max ? nil : .integer(range.upperBound))),
                reference,
            ])
        case .number(let range, let excludingLower):
            anyOf([number(range, excludingLower), reference])
        case .boolean: anyOf([type("boolean"), reference])
        case .choice(let words): anyOf([.object(("enum", .texts(words))), reference])
        case .text: .object(("type", .texts(["string", "number", "boolean"])))
        case .duration: anyOf([pattern(withUnit(timeUnits)), reference])
        case .byteSize:
            anyOf([pattern(withUnit(Units.sizeNames + ["byte"])), reference])
        case .extent:
            anyOf([pattern(withUnit(["records", "record"] + timeUnits)), reference])
        case .columns:
            anyOf([
                .object(("const", .text("all"))),
                .object(("type", .text("array")), ("items", JSONSchemaWriter.kind(.text))),
            ])
        case .list(let element):
            .object(
                ("type", .texts(["array", "null"])), ("items", JSONSchemaWriter.kind(element)))
        case .map:
            .object(
                ("type", .texts(["object", "null"])),
                ("additionalProperties", JSONSchemaWriter.kind(.text)))
        case .section(let declarations): anyOf([section(declarations), type("null")])
        case .component(let choices): anyOf(components(choices))
        case .typedComponent(let choices):
            anyOf(components(choices) + choices.map(typedComponent))
        case .named(let element):
            .object(
                ("type", .text("object")),
                ("additionalProperties", JSONSchemaWriter.kind(element)))
        case .wordOr(let words, let other):
            anyOf([.object(("enum", .texts(words))), JSONSchemaWriter.kind(other)])
        }
    }

    private static let timeUnits = Units.timeNames + ["day"]

    private static func withUnit(_ units: [String]) -> String {
        "^ *[0-9]+(\\.[0-9]+)? *(\(units.joined(separator: "|"))) *$"
    }

    private static func number(
        _ range: ClosedRange<Double>, _ excludingLower: Bool
    ) -> JSONDocument {
        let greatest = Double.greatestFiniteMagnitude
        let lower: JSONDocument? =
            range.lowerBound <= -greatest ? nil : .number(range.lowerBound)
        return .object(
            ("type", .text("number")), ("minimum", excludingLower ? nil : lower),
            ("exclusiveMinimum", excludingLower ? lower : nil),
            ("maximum", range.upperBound >= greatest ? nil : .number(range.upperBound)))
    }

    /// A bare name, or one name with its settings.
    private static func components(_ choices: [ComponentDeclaration]) -> [JSONDocument] {
        guard !choices.isEmpty else { return [type("string")] }
        let settings = choices.map { choice in
            JSONDocument.Member(choice.name, describe(choice.summary, value(of: choice)))
        }
        return [
            .object(("enum", .texts(choices.map(\.name)))), reference,
            .object(
                ("type", .text("object")), ("properties", .object(settings)),
                ("additionalProperties", .boolean(false)), ("minProperties", .integer(1)),
                ("maxProperties", .integer(1))),
        ]
    }

    private static func describe(_ summary: String, _ schema: JSONDocument) -> JSONDocument {
        guard case .object(let members) = schema else { return schema }
        return .object([.init("description", .text(summary))] + members)
    }

    /// What stands under a component's name.
    private static func value(of choice: ComponentDeclaration) -> JSONDocument {
        var forms = [section(settings(of: choice)), type("null")]
        if let short = choice.settings.first(where: { $0.key == choice.shortKey }) {
            forms.append(kind(short.kind))
        }
        return anyOf(forms)
    }

    private static func typedComponent(_ choice: ComponentDeclaration) -> JSONDocument {
        let name = SettingDeclaration(
            "type", .choice([choice.name]), required: true, choice.summary)
        return section([name] + settings(of: choice))
    }

    private static func settings(of choice: ComponentDeclaration) -> [SettingDeclaration] {
        guard !choice.presets.isEmpty else { return choice.settings }
        return choice.settings + [
            SettingDeclaration(
                "compat", .choice(choice.presets.map(\.name)),
                "A preset that fills settings; keys in the file win.")
        ]
    }
}
