package import Core

/// What a terminal shows of components: their names, or one with its settings.
package enum ComponentHelp {
    /// Names and summaries, one line for each.
    package static func list(_ declarations: [ComponentDeclaration]) -> String {
        let width = declarations.map(\.name.count).max() ?? 0
        return declarations.map { "  \(padded($0.name, width))  \($0.summary)\n" }.joined()
    }

    /// All about one component.
    ///
    /// - Parameter example: Lines that show it in a pipeline file.
    package static func text(_ declaration: ComponentDeclaration, example: String = "") -> String {
        var result = "\(declaration.name): \(declaration.summary)\n"
        if !declaration.source.isEmpty { result += "Source: \(declaration.source)\n" }
        if !declaration.settings.isEmpty {
            result += "\nSettings\n"
            let width = declaration.settings.map(\.key.count).max() ?? 0
            for setting in declaration.settings {
                result += "  \(padded(setting.key, width))  \(setting.summary)\n"
                result += "  \(padded("", width))  \(typeAndDefault(setting))\n"
            }
        }
        if !declaration.presets.isEmpty {
            result += "\nPresets\n"
            for preset in declaration.presets {
                let values = preset.values.map { "\($0.key): \($0.value.yaml)" }
                result += "  compat: \(preset.name) sets \(values.joined(separator: ", "))\n"
            }
        }
        if !example.isEmpty { result += "\nIn a pipeline file\n\(example)" }
        return result
    }

    /// Components as data.
    package static func json(_ declarations: [ComponentDeclaration]) -> JSONDocument {
        .list(declarations.map(json))
    }

    /// One component as data.
    package static func json(_ declaration: ComponentDeclaration) -> JSONDocument {
        .object(
            ("name", .text(declaration.name)), ("summary", .text(declaration.summary)),
            ("source", declaration.source.isEmpty ? nil : .text(declaration.source)),
            ("settings", .list(declaration.settings.map(json))),
            (
                "presets",
                .list(
                    declaration.presets.map { preset in
                        .object(
                            ("name", .text(preset.name)),
                            (
                                "values",
                                .object(
                                    preset.values.map {
                                        JSONDocument.Member($0.key, $0.value.json)
                                    })
                            ))
                    })
            ))
    }

    private static func json(_ setting: SettingDeclaration) -> JSONDocument {
        .object(
            ("key", .text(setting.key)), ("type", .text(setting.kind.expectation)),
            ("required", .boolean(setting.isRequired)), ("default", setting.defaultValue?.json),
            ("unit", setting.unit.isEmpty ? nil : .text(setting.unit)),
            ("summary", .text(setting.summary)))
    }

    static func typeAndDefault(_ setting: SettingDeclaration) -> String {
        var parts = [setting.kind.expectation]
        if !setting.unit.isEmpty { parts[0] += " (\(setting.unit))" }
        if let value = setting.defaultValue {
            parts.append("default \(value.yaml)")
        } else if setting.isRequired {
            parts.append("required")
        }
        return parts.joined(separator: "; ")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
