internal import Core

extension SettingsReader {
    /// Reads a component: a bare name, `name: {settings}`, `name: value` for its short key, or,
    /// where allowed, `{type: name, …}`.
    mutating func component(
        _ node: YAMLNode, _ choices: [ComponentDeclaration], allowsType: Bool, key: String,
        line: Int, _ fallback: SettingValue?
    ) -> SettingValue? {
        let kind = SettingKind.component(choices)
        switch node.content {
        case .scalar(let written):
            if node.isNull {
                refuse(node, kind, key: key, fallback, remedy: Self.names(choices, allowsType))
                return nil
            }
            guard let scalar = resolve(written, line: node.line, key: key),
                let choice = choice(scalar.text, choices, key: key, line: node.line)
            else { return nil }
            return settings(of: choice, [], key: key, line: line)
        case .mapping(let entries):
            if allowsType, let type = entries.first(where: { $0.key == "type" }) {
                let path = Self.join(key, "type")
                setPlace(path, line: type.line)
                guard
                    case .text(let name)? = scalar(type.value, .text, shown: .text, key: path, nil),
                    let choice = choice(name, choices, key: path, line: type.line)
                else { return nil }
                let others = entries.filter { $0.key != "type" }
                return settings(of: choice, others, key: key, line: line)
            }
            guard entries.count == 1, let entry = entries.first else {
                let found = entries.map(\.key).prefix(4).joined(separator: ", ")
                fail(
                    node.line, key,
                    entries.isEmpty
                        ? "expected one name, got an empty mapping"
                        : "expected one name, got \(entries.count): \(found)",
                    Self.names(choices, allowsType))
                return nil
            }
            guard let choice = choice(entry.key, choices, key: key, line: entry.line) else {
                return nil
            }
            return component(choice, entry, key: key)
        case .sequence:
            refuse(node, kind, key: key, fallback, remedy: Self.names(choices, allowsType))
            return nil
        }
    }

    /// Reads what stands under a component's name.
    private mutating func component(
        _ choice: ComponentDeclaration, _ entry: YAMLEntry, key: String
    ) -> SettingValue? {
        switch entry.value.content {
        case .mapping(let entries):
            return settings(of: choice, entries, key: key, line: entry.line)
        case .scalar where entry.value.isNull:
            return settings(of: choice, [], key: key, line: entry.line)
        case .scalar, .sequence:
            guard let short = choice.shortKey else {
                fail(
                    entry.line, key,
                    "expected the settings of \(choice.name), got \(shown(entry.value, key))",
                    choice.settings.isEmpty
                        ? "write only \(choice.name)"
                        : "write `\(choice.name): {\(choice.settings[0].key): …}`")
                return nil
            }
            let only = YAMLEntry(key: short, line: entry.line, value: entry.value)
            return settings(of: choice, [only], key: key, line: entry.line)
        }
    }

    /// Reads a component's settings, with `compat` filling in a preset where there are any.
    private mutating func settings(
        of choice: ComponentDeclaration, _ entries: [YAMLEntry], key: String, line: Int
    ) -> SettingValue? {
        var preset: ComponentDeclaration.Preset?
        var others = entries
        if !choice.presets.isEmpty, !choice.settings.contains(where: { $0.key == "compat" }),
            let index = entries.firstIndex(where: { $0.key == "compat" })
        {
            let entry = others.remove(at: index)
            let path = Self.join(key, "compat")
            setPlace(path, line: entry.line)
            let names = SettingKind.choice(choice.presets.map(\.name))
            if case .text(let name)? = scalar(entry.value, names, shown: names, key: path, nil) {
                preset = choice.presets.first { $0.name == name }
            }
        }
        let settings = section(others, choice.settings, key: key, line: line, preset: preset)
        return .component(name: choice.name, settings)
    }

    /// The component of a name; a mistake with the nearest name if there is none.
    private mutating func choice(
        _ name: String, _ choices: [ComponentDeclaration], key: String, line: Int
    ) -> ComponentDeclaration? {
        if let found = choices.first(where: { $0.name == name }) { return found }
        let names = choices.map(\.name)
        let remedy =
            NearestName.find(name, among: names).map { "did you mean \($0)?" }
            ?? "valid names: \(names.joined(separator: ", "))"
        let shown = places.isSecret(key) ? "unknown name" : "unknown name \(name.prefix(60))"
        fail(line, key, shown, remedy)
        return nil
    }

    private static func names(_ choices: [ComponentDeclaration], _ allowsType: Bool) -> String {
        let names = choices.map(\.name).joined(separator: ", ")
        return allowsType ? "write a type: \(names)" : "write one of \(names)"
    }
}
